// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { formatAddress, formatMac } from "../../util/address.ts";
import { i32 } from "../../util/typed.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/** IPv6 router advertisements of one router in a window (RFC 4861 §4.2). */
export interface RouterRow {
  readonly router: string;
  /** MAC address of the frames, "" where they have none. */
  readonly mac: string;
  readonly advertisements: number;
  /** How long it says to be a default router; 0: it is none, or no longer. */
  readonly lifetimeSeconds: number;
  /** Default router preference (RFC 4191 §2.1): 1 high, 0 medium, -1 low. */
  readonly preference: number;
  /** The lowest prefix it announces (RFC 4861 §4.6.2), `2001:db8::/64`, "" without one. */
  readonly prefix: string;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly routers: readonly RouterRow[];
  }
}

const ICMPV6 = 58;
const ROUTER_ADVERTISEMENT = 134;
const LIFETIME_AT = 6;
const FLAGS_AT = 5;
const HEADER_LENGTH = 16;
/** Options: type, length in units of eight bytes; the prefix option has the prefix's length and, further on, itself. */
const PREFIX_OPTION = 3;
const PREFIX_OPTION_LENGTH = 32;
const PREFIX_LENGTH_AT = 2;
const PREFIX_AT = 16;
const OPTIONS_MAX = 32;
/** By the two bits of the preference; 2 is reserved and means medium. */
const PREFERENCES = [0, 1, 0, -1] as const;
const SOURCE_MAC_AT = 6;
const CAPACITY = 1024;
const ROW_LIMIT = 128;
/** Words of a row. */
const ADVERTISEMENTS = 0;
const LIFETIME = 1;
const PREFERENCE = 2;
/** Length of the prefix plus one, 0 without one, and its words. */
const PREFIX = 3;
const WINDOW_WORDS = 8;

class Routers implements Tracker<RouterRow> {
  readonly #table: EntityTable;
  readonly #mac = new DataView(new ArrayBuffer(6));

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, hashSeed, evicted },
      ...{ keyWords: 6, windowWords: WINDOW_WORDS },
    });
  }

  onPacket(packet: Packet, timeMs: number): void {
    const { view, transportAt, ipProtocol, icmpType } = packet;
    if (ipProtocol !== ICMPV6 || icmpType !== ROUTER_ADVERTISEMENT || transportAt < 0) return;
    if (transportAt + HEADER_LENGTH > packet.end) return;
    const table = this.#table;
    const macAt = packet.ethernetAt + SOURCE_MAC_AT;
    table.key[0] = packet.source0;
    table.key[1] = packet.source1;
    table.key[2] = packet.source2;
    table.key[3] = packet.source3;
    table.key[4] = packet.ethernetAt < 0 ? 0 : view.getUint16(macAt);
    table.key[5] = packet.ethernetAt < 0 ? 0 : view.getInt32(macAt + 2);
    const slot = table.claim(timeMs);
    table.increment(slot, ADVERTISEMENTS);
    table.weigh(slot, 1);
    const at = table.row(slot);
    table.rows[at + LIFETIME] = view.getUint16(transportAt + LIFETIME_AT);
    table.rows[at + PREFERENCE] = (view.getUint8(transportAt + FLAGS_AT) >>> 3) & 3;
    this.#readPrefixes(view, transportAt + HEADER_LENGTH, packet.end, at + PREFIX);
  }

  #readPrefixes(view: DataView, from: number, end: number, into: number): void {
    let at = from;
    for (let options = 0; at + 2 <= end && options < OPTIONS_MAX; options++) {
      const length = view.getUint8(at + 1) << 3;
      if (length === 0 || at + length > end) return;
      if (view.getUint8(at) === PREFIX_OPTION && length === PREFIX_OPTION_LENGTH) {
        this.#keepLowest(view, at, into);
      }
      at += length;
    }
  }

  #keepLowest(view: DataView, at: number, into: number): void {
    const { rows } = this.#table;
    const prefixAt = at + PREFIX_AT;
    const isLower = view.getUint32(prefixAt) < i32(rows, into + 1) >>> 0;
    if (i32(rows, into) !== 0 && !isLower) return;
    rows[into] = view.getUint8(at + PREFIX_LENGTH_AT) + 1;
    for (let word = 0; word < 4; word++) {
      rows[into + 1 + word] = view.getInt32(prefixAt + 4 * word);
    }
  }

  close(): RouterRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => table.value(slot, ADVERTISEMENTS))
      .map((slot) => this.#describe(slot));
    table.clear();
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #describe(slot: number): RouterRow {
    const table = this.#table;
    const [high, low] = [table.keyWord(slot, 4), table.keyWord(slot, 5)];
    this.#mac.setUint16(0, high);
    this.#mac.setInt32(2, low);
    return {
      router: table.address(slot),
      mac: (high | low) === 0 ? "" : formatMac(this.#mac, 0),
      advertisements: table.value(slot, ADVERTISEMENTS),
      lifetimeSeconds: table.value(slot, LIFETIME),
      preference: PREFERENCES[table.value(slot, PREFERENCE)] ?? 0,
      prefix: this.#prefix(slot),
    };
  }

  #prefix(slot: number): string {
    const word = (index: number): number => this.#table.value(slot, PREFIX + index);
    const length = word(0) - 1;
    return length < 0 ? "" : `${formatAddress(word(1), word(2), word(3), word(4))}/${length}`;
  }
}

/** Who says to be an IPv6 router: evidence of rogue router advertisements. */
export const routers: TrackerDefinition<"routers"> = {
  name: "routers",
  help: "IPv6 routers that advertise themselves",
  capacity: CAPACITY,
  packets: "ipv6",
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.router} ${row.mac}`,
    weight: (row) => row.advertisements,
    merge: (earlier, later) => ({ ...later, ...addFields(earlier, later, ["advertisements"]) }),
  },
  create: (context) => new Routers(context),
};
