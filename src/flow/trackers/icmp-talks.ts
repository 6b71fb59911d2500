// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { formatAddress } from "../../util/address.ts";
import { hashKey, mix } from "../hash.ts";
import { PAIR_WORDS, setPair } from "../pair-key.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/** Echo messages (ping) that one address sent to another in a window. */
export interface IcmpTalkRow {
  readonly source: string;
  readonly destination: string;
  readonly ipVersion: number;
  readonly requests: number;
  readonly replies: number;
  /** Data behind the ICMP headers, and the longest of a single message. */
  readonly payloadBytes: number;
  readonly longest: number;
  /** Messages whose length was not that of the one before, and replies that did not return their request's data. */
  readonly lengthChanges: number;
  readonly mismatches: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly icmp_talks: readonly IcmpTalkRow[];
  }
}

const ICMP = 1;
const ICMPV6 = 58;
const ECHO_REPLY = 0;
const ECHO_REQUEST = 8;
const ECHO_REQUEST_V6 = 128;
const ECHO_REPLY_V6 = 129;
/** Type, code, checksum, identifier, sequence number (RFC 792). */
const IDENTIFIER_AT = 4;
const HEADER_LENGTH = 8;
const CAPACITY = 4096;
const ROW_LIMIT = 256;
const IDLE_MS = 5 * 60_000;
/** Data of a message that is compared; the rest is of no more use to a tunnel that copies this much. */
const COMPARED_BYTES = 64;

/** Words of a row; the last three stay from window to window. */
const COUNTS = ["requests", "replies", "payloadBytes", "lengthChanges", "mismatches"] as const;
const [REQUESTS, REPLIES, PAYLOAD, LENGTH_CHANGES, MISMATCHES] = [0, 1, 2, 3, 4];
const LONGEST = COUNTS.length;
const WINDOW_WORDS = LONGEST + 1;
const LAST_LENGTH = WINDOW_WORDS;
const ASKED_ID = WINDOW_WORDS + 1;
const ASKED_DATA = WINDOW_WORDS + 2;

class IcmpTalks implements Tracker<IcmpTalkRow> {
  readonly #table: EntityTable;
  readonly #key: number = 0;

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#key = hashKey(hashSeed, "icmp talks");
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted },
      ...{ keyWords: 9, windowWords: WINDOW_WORDS, lifeWords: 3 },
    });
  }

  onPacket(packet: Packet, timeMs: number): void {
    const { ipProtocol, icmpType } = packet;
    if (ipProtocol !== ICMP && ipProtocol !== ICMPV6) return;
    const isRequest = icmpType === (ipProtocol === ICMP ? ECHO_REQUEST : ECHO_REQUEST_V6);
    if (!isRequest && icmpType !== (ipProtocol === ICMP ? ECHO_REPLY : ECHO_REPLY_V6)) return;
    const length = packet.sentEnd - packet.transportAt - HEADER_LENGTH;
    if (packet.transportAt < 0 || length < 0 || packet.fragment === 2) return;
    const slot = this.#claim(packet, timeMs);
    const table = this.#table;
    const at = table.row(slot);
    if (!table.isNew && table.value(slot, LAST_LENGTH) !== length) {
      table.increment(slot, LENGTH_CHANGES);
    }
    table.rows[at + LAST_LENGTH] = length;
    table.increment(slot, isRequest ? REQUESTS : REPLIES);
    table.add(slot, PAYLOAD, length);
    table.raise(slot, LONGEST, length);
    table.weigh(slot, 1);
    this.#compare(slot, packet, isRequest);
  }

  close(timeMs: number): IcmpTalkRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => weigh(table.value(slot, PAYLOAD)))
      .map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  /** Requests and replies count for the pair in the direction of the request. */
  #claim(packet: Packet, timeMs: number): number {
    const isReply = packet.icmpType === ECHO_REPLY || packet.icmpType === ECHO_REPLY_V6;
    const { key } = this.#table;
    setPair(key, packet, isReply);
    key[PAIR_WORDS] = packet.ipVersion;
    return this.#table.claim(timeMs);
  }

  /** RFC 792: the data of the request must be returned in the reply. */
  #compare(slot: number, packet: Packet, isRequest: boolean): void {
    const { view, transportAt, end } = packet;
    if (transportAt + HEADER_LENGTH > end) return;
    const table = this.#table;
    const at = table.row(slot);
    const id = view.getInt32(transportAt + IDENTIFIER_AT);
    let hash = packet.sentEnd - transportAt;
    const last = Math.min(end, transportAt + HEADER_LENGTH + COMPARED_BYTES);
    for (let i = transportAt + HEADER_LENGTH; i < last; i++) {
      hash = mix(hash ^ view.getUint8(i), this.#key);
    }
    if (isRequest) {
      table.rows[at + ASKED_ID] = id;
      table.rows[at + ASKED_DATA] = hash;
    } else if (table.value(slot, ASKED_ID) === id && table.value(slot, ASKED_DATA) !== hash) {
      table.increment(slot, MISMATCHES);
    }
  }

  #describe(slot: number): IcmpTalkRow {
    const table = this.#table;
    const word = (index: number): number => table.keyWord(slot, index);
    return {
      source: table.address(slot),
      destination: formatAddress(word(4), word(5), word(6), word(7)),
      ipVersion: word(8),
      ...table.named(slot, COUNTS),
      longest: table.value(slot, LONGEST),
    };
  }
}

/** Order of rows: most data first. */
function weigh(payloadBytes: number): number {
  return payloadBytes + 1;
}

/** Pings between each two addresses: evidence of sweeps, tunnels and oversized messages. */
export const icmpTalks: TrackerDefinition<"icmp_talks"> = {
  name: "icmp_talks",
  help: "echo requests and replies between each two addresses",
  capacity: CAPACITY,
  packets: ["ipv4", "ipv6"],
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.source} ${row.destination}`,
    weight: (row) => weigh(row.payloadBytes),
    merge: (earlier, later) => ({
      ...later,
      ...addFields(earlier, later, COUNTS),
      longest: Math.max(earlier.longest, later.longest),
    }),
  },
  create: (context) => new IcmpTalks(context),
};
