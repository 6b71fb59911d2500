// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { formatMac } from "../../util/address.ts";
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
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly routers: readonly RouterRow[];
  }
}

const ICMPV6 = 58;
const ROUTER_ADVERTISEMENT = 134;
const LIFETIME_AT = 6;
const HEADER_LENGTH = 16;
const SOURCE_MAC_AT = 6;
const CAPACITY = 1024;
const ROW_LIMIT = 128;
/** Words of a row. */
const ADVERTISEMENTS = 0;
const LIFETIME = 1;
const WINDOW_WORDS = 2;

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
    table.rows[table.row(slot) + LIFETIME] = view.getUint16(transportAt + LIFETIME_AT);
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
    };
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
