// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { formatAddress, formatMac, V4_MAPPED_WORD2 } from "../../util/address.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/** What one DHCP server offered or acknowledged in a window. */
export interface DhcpServerRow {
  readonly server: string;
  /** MAC address of the frames, which may be a relay's; "" where they have none. */
  readonly mac: string;
  readonly replies: number;
  /** Router and DNS server of its last reply, "" where it named none. */
  readonly router: string;
  readonly dnsServer: string;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly dhcp_servers: readonly DhcpServerRow[];
  }
}

/** RFC 2132 §9.6. */
const OFFER = 2;
const ACK = 5;
const SOURCE_MAC_AT = 6;
const CAPACITY = 256;
const ROW_LIMIT = 32;
/** Words of a row. */
const REPLIES = 0;
const ROUTER = 1;
const DNS = 2;
const WINDOW_WORDS = 3;

/** What the dhcp decoder leaves; declared there. */
interface DhcpReply {
  readonly dhcp?: {
    readonly packet: number;
    readonly isReply: boolean;
    readonly type: number;
    readonly serverAddress: number;
    readonly router: number;
    readonly dnsServer: number;
  };
}

class DhcpServers implements Tracker<DhcpServerRow> {
  readonly #table: EntityTable;
  readonly #mac = new DataView(new ArrayBuffer(6));

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, hashSeed, evicted },
      ...{ keyWords: 3, windowWords: WINDOW_WORDS },
    });
  }

  onPacket(packet: Packet, timeMs: number): void {
    const { dhcp } = packet.facts as DhcpReply;
    if (dhcp === undefined || dhcp.packet !== packet.number || !dhcp.isReply) return;
    if (dhcp.type !== OFFER && dhcp.type !== ACK) return;
    const table = this.#table;
    const macAt = packet.ethernetAt + SOURCE_MAC_AT;
    table.key[0] = dhcp.serverAddress === 0 ? packet.source3 : dhcp.serverAddress;
    table.key[1] = packet.ethernetAt < 0 ? 0 : packet.view.getUint16(macAt);
    table.key[2] = packet.ethernetAt < 0 ? 0 : packet.view.getInt32(macAt + 2);
    const slot = table.claim(timeMs);
    const at = table.row(slot);
    table.increment(slot, REPLIES);
    table.weigh(slot, 1);
    table.rows[at + ROUTER] = dhcp.router;
    table.rows[at + DNS] = dhcp.dnsServer;
  }

  close(): DhcpServerRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => table.value(slot, REPLIES))
      .map((slot) => this.#describe(slot));
    table.clear();
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #describe(slot: number): DhcpServerRow {
    const table = this.#table;
    const [high, low] = [table.keyWord(slot, 1), table.keyWord(slot, 2)];
    this.#mac.setUint16(0, high);
    this.#mac.setInt32(2, low);
    return {
      server: address(table.keyWord(slot, 0)),
      mac: (high | low) === 0 ? "" : formatMac(this.#mac, 0),
      replies: table.value(slot, REPLIES),
      router: address(table.value(slot, ROUTER)),
      dnsServer: address(table.value(slot, DNS)),
    };
  }
}

function address(word: number): string {
  return word === 0 ? "" : formatAddress(0, 0, V4_MAPPED_WORD2, word);
}

/** Who hands out addresses, and which router and DNS server it names: evidence of rogue DHCP servers. */
export const dhcpServers: TrackerDefinition<"dhcp_servers"> = {
  name: "dhcp_servers",
  help: "DHCP servers, and the routers and DNS servers they name",
  capacity: CAPACITY,
  application: "dhcp",
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.server} ${row.mac}`,
    weight: (row) => row.replies,
    merge: (earlier, later) => ({ ...later, ...addFields(earlier, later, ["replies"]) }),
  },
  create: (context) => new DhcpServers(context),
};
