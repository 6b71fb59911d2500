// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { formatAddress, formatMac, V4_MAPPED_WORD2 } from "../../util/address.ts";
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

/** What the DHCP clients of one segment, or one machine that speaks for other clients, asked for in a window. */
export interface DhcpClientRow {
  /** VLAN of the segment, -1 without one, and the relay agent the messages came through, "" without one. */
  readonly vlan: number;
  readonly relay: string;
  /** Sender of frames in the name of other hardware addresses than its own; "" in the row of the whole segment. */
  readonly mac: string;
  readonly discovers: number;
  readonly requests: number;
  /** Answers to the segment; 0 in the row of a sender. */
  readonly offers: number;
  readonly acknowledgments: number;
  readonly refusals: number;
  /** Estimate of the distinct client hardware addresses in DISCOVER and REQUEST messages of the last 1 to 2 minutes. */
  readonly clients: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly dhcp_clients: readonly DhcpClientRow[];
  }
}

const COUNTS = ["discovers", "requests", "offers", "acknowledgments", "refusals"] as const;
const [DISCOVERS, REQUESTS] = [0, 1];
/** Column of a row by message type (RFC 2132 §9.6). */
const COLUMNS: Readonly<Record<number, number>> = { 1: 0, 2: 2, 3: 1, 5: 3, 6: 4 };
const SOURCE_MAC_AT = 6;
const CAPACITY = 256;
const ROW_LIMIT = 32;
const IDLE_MS = 5 * 60_000;
const SPAN_MS = 60_000;
/** Words of a row. */
const WINDOW_WORDS = COUNTS.length;
const SPAN_START = WINDOW_WORDS;

/** What the dhcp decoder leaves; declared there. */
interface DhcpMessage {
  readonly dhcp?: {
    readonly packet: number;
    readonly type: number;
    readonly clientMac0: number;
    readonly clientMac1: number;
    readonly relayAddress: number;
  };
}

class DhcpClients implements Tracker<DhcpClientRow> {
  readonly #table: EntityTable;
  readonly #key: number = 0;
  readonly #mac = new DataView(new ArrayBuffer(6));

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#key = hashKey(hashSeed, "dhcp clients");
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted },
      ...{ keyWords: 4, windowWords: WINDOW_WORDS, lifeWords: 1, sketchBytes: FADING_BYTES },
    });
  }

  onPacket(packet: Packet, timeMs: number): void {
    const { dhcp } = packet.facts as DhcpMessage;
    if (dhcp === undefined || dhcp.packet !== packet.number) return;
    const column = COLUMNS[dhcp.type];
    if (column === undefined) return;
    const { key } = this.#table;
    const isAsked = column <= REQUESTS;
    const client = mix(dhcp.clientMac1 ^ mix(dhcp.clientMac0, this.#key), this.#key);
    key[0] = packet.vlanId;
    key[1] = dhcp.relayAddress;
    key[2] = 0;
    key[3] = 0;
    this.#count(column, isAsked, client, timeMs);
    // A relay agent speaks for others by trade.
    if (!isAsked || dhcp.relayAddress !== 0 || packet.ethernetAt < 0) return;
    const high = packet.view.getUint16(packet.ethernetAt + SOURCE_MAC_AT);
    const low = packet.view.getInt32(packet.ethernetAt + SOURCE_MAC_AT + 2);
    if (high === dhcp.clientMac0 && low === dhcp.clientMac1) return;
    key[2] = high;
    key[3] = low;
    this.#count(column, true, client, timeMs);
  }

  close(timeMs: number): DhcpClientRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => weigh(table.value(slot, DISCOVERS), table.value(slot, REQUESTS)))
      .map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #count(column: number, isAsked: boolean, client: number, timeMs: number): void {
    const table = this.#table;
    const slot = table.claim(timeMs);
    const at = table.sketch(slot);
    const spanAt = table.row(slot) + SPAN_START;
    if (isSpanOver(table.rows, spanAt, table.isNew, timeMs, SPAN_MS)) {
      turnFading(table.sketches, at);
    }
    if (isAsked) observeFading(table.sketches, at, client);
    table.increment(slot, column);
    table.weigh(slot, 1);
  }

  #describe(slot: number): DhcpClientRow {
    const table = this.#table;
    const word = (index: number): number => table.keyWord(slot, index);
    this.#mac.setUint16(0, word(2));
    this.#mac.setInt32(2, word(3));
    return {
      vlan: word(0),
      relay: word(1) === 0 ? "" : formatAddress(0, 0, V4_MAPPED_WORD2, word(1)),
      mac: (word(2) | word(3)) === 0 ? "" : formatMac(this.#mac, 0),
      ...table.named(slot, COUNTS),
      clients: estimateFading(table.sketches, table.sketch(slot)),
    };
  }
}

/** Order of rows: most questions first; a segment without any has only answers to show. */
function weigh(discovers: number, requests: number): number {
  return discovers + requests + 1;
}

/** Who asks for addresses, and for how many clients: evidence of DHCP starvation. */
export const dhcpClients: TrackerDefinition<"dhcp_clients"> = {
  name: "dhcp_clients",
  help: "DHCP clients of each segment, and who asks in the name of others",
  capacity: CAPACITY,
  application: "dhcp",
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.vlan} ${row.relay} ${row.mac}`,
    weight: (row) => weigh(row.discovers, row.requests),
    merge: (earlier, later) => ({
      ...later,
      ...addFields(earlier, later, COUNTS),
      ...greaterFields(earlier, later, ["clients"]),
    }),
  },
  create: (context) => new DhcpClients(context),
};
