// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { formatAddress, formatMac, V4_MAPPED_WORD2 } from "../../util/address.ts";
import { emptyClaim, readArpClaim } from "../arp-claim.ts";
import { hashKey, mix } from "../hash.ts";
import { addFields, greaterFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import {
  estimateFading,
  FADING_BYTES,
  isSpanOver,
  observeFading,
  turnFading,
} from "../sketch/fading-distinct.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/** What one MAC address asked by ARP in a window. */
export interface ArpAskerRow {
  readonly mac: string;
  /** The address it asked for others with last. */
  readonly address: string;
  readonly requests: number;
  /** Estimate of the distinct addresses that it asked for in the last 30 to 60 seconds. */
  readonly targets: number;
  /** The same of those that answered it. */
  readonly answers: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly arp_askers: readonly ArpAskerRow[];
  }
}

const CAPACITY = 2048;
const ROW_LIMIT = 64;
const IDLE_MS = 5 * 60_000;
const SPAN_MS = 30_000;
/** Words of a row. */
const REQUESTS = 0;
const ADDRESS = 1;
const WINDOW_WORDS = 2;
const SPAN_START = WINDOW_WORDS;
/** Bytes of an entity. */
const TARGETS = 0;
const ANSWERS = FADING_BYTES;

class ArpAskers implements Tracker<ArpAskerRow> {
  readonly #table: EntityTable;
  readonly #claim = emptyClaim();
  readonly #key: number = 0;
  readonly #mac = new DataView(new ArrayBuffer(6));

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#key = hashKey(hashSeed, "arp askers");
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted },
      ...{ keyWords: 2, windowWords: WINDOW_WORDS, lifeWords: 1, sketchBytes: 2 * FADING_BYTES },
    });
  }

  onPacket(packet: Packet, timeMs: number): void {
    const claim = this.#claim;
    if (!readArpClaim(packet, claim) || claim.isGratuitous) return;
    const { key } = this.#table;
    key[0] = claim.isReply ? claim.targetHigh : claim.macHigh;
    key[1] = claim.isReply ? claim.targetLow : claim.macLow;
    const slot = this.#claimSlot(timeMs);
    const table = this.#table;
    const at = table.sketch(slot);
    if (claim.isReply) {
      observeFading(table.sketches, at + ANSWERS, mix(claim.address, this.#key));
      return;
    }
    observeFading(table.sketches, at + TARGETS, mix(claim.target, this.#key));
    table.increment(slot, REQUESTS);
    table.rows[table.row(slot) + ADDRESS] = claim.address;
    table.weigh(slot, 1);
  }

  close(timeMs: number): ArpAskerRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => weigh(table.value(slot, REQUESTS)))
      .map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #claimSlot(timeMs: number): number {
    const table = this.#table;
    const slot = table.claim(timeMs);
    const at = table.sketch(slot);
    const spanAt = table.row(slot) + SPAN_START;
    if (isSpanOver(table.rows, spanAt, table.isNew, timeMs, SPAN_MS)) {
      turnFading(table.sketches, at + TARGETS);
      turnFading(table.sketches, at + ANSWERS);
    }
    return slot;
  }

  #describe(slot: number): ArpAskerRow {
    const table = this.#table;
    const at = table.sketch(slot);
    this.#mac.setUint16(0, table.keyWord(slot, 0));
    this.#mac.setInt32(2, table.keyWord(slot, 1));
    return {
      mac: formatMac(this.#mac, 0),
      address: formatAddress(0, 0, V4_MAPPED_WORD2, table.value(slot, ADDRESS)),
      requests: table.value(slot, REQUESTS),
      targets: estimateFading(table.sketches, at + TARGETS),
      answers: estimateFading(table.sketches, at + ANSWERS),
    };
  }
}

/** Order of rows: most requests first. */
function weigh(requests: number): number {
  return requests + 1;
}

/** Which addresses each MAC address asks for: evidence of ARP sweeps. */
export const arpAskers: TrackerDefinition<"arp_askers"> = {
  name: "arp_askers",
  help: "addresses that each MAC address asks for by ARP",
  capacity: CAPACITY,
  packets: "arp",
  rows: {
    limit: ROW_LIMIT,
    key: (row) => row.mac,
    weight: (row) => weigh(row.requests),
    merge: (earlier, later) => ({
      ...later,
      ...addFields(earlier, later, ["requests"]),
      ...greaterFields(earlier, later, ["targets", "answers"]),
    }),
  },
  create: (context) => new ArpAskers(context),
};
