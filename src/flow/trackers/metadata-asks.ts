// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { formatAddress } from "../../util/address.ts";
import { isMetadataAddress } from "../../util/metadata-address.ts";
import { PAIR_WORDS, setPair } from "../pair-key.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import {
  FlowEvent,
  type FlowKey,
  type Tracker,
  type TrackerContext,
  type TrackerDefinition,
} from "../tracker.ts";

/** What one client asked of a cloud's metadata service in one window. */
export interface MetadataAskRow {
  readonly client: string;
  readonly server: string;
  /** TCP connections established. */
  readonly connections: number;
  /** HTTP requests in clear text, and those among them without the header that such services ask for. */
  readonly requests: number;
  readonly bare: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly metadata_asks: readonly MetadataAskRow[];
  }
}

const CAPACITY = 512;
const ROW_LIMIT = 64;
const TCP = 6;
const COUNTS = ["connections", "requests", "bare"] as const;
const [CONNECTIONS, REQUESTS, BARE] = [0, 1, 2];

/** What the http decoder leaves; declared there. */
interface Asked {
  readonly agents?: { readonly metadata: number; readonly bareMetadata: number };
}

class MetadataAsks implements Tracker<MetadataAskRow> {
  readonly #table: EntityTable;

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, hashSeed, evicted },
      ...{ keyWords: PAIR_WORDS, windowWords: COUNTS.length },
    });
  }

  onFlow(_event: number, flow: FlowKey): void {
    const { server0, server1, server2, server3 } = flow;
    if (flow.ipProtocol !== TCP || !isMetadataAddress(server0, server1, server2, server3)) return;
    const { key } = this.#table;
    key[0] = flow.client0;
    key[1] = flow.client1;
    key[2] = flow.client2;
    key[3] = flow.client3;
    key[4] = server0;
    key[5] = server1;
    key[6] = server2;
    key[7] = server3;
    this.#table.increment(this.#table.claim(flow.timeMs), CONNECTIONS);
  }

  onPacket(packet: Packet, timeMs: number): void {
    const { agents } = packet.facts as Asked;
    if (agents === undefined || agents.metadata === 0) return;
    setPair(this.#table.key, packet, false);
    const slot = this.#table.claim(timeMs);
    this.#table.add(slot, REQUESTS, agents.metadata);
    this.#table.add(slot, BARE, agents.bareMetadata);
    this.#table.weigh(slot, 1);
  }

  close(): MetadataAskRow[] {
    const table = this.#table;
    const rows = table
      .best(ROW_LIMIT, (slot) => table.value(slot, BARE) * 1000 + table.value(slot, REQUESTS) + 1)
      .map((slot) => this.#describe(slot));
    table.clear();
    return rows;
  }

  size(): number {
    return this.#table.size;
  }

  #describe(slot: number): MetadataAskRow {
    const table = this.#table;
    const word = (index: number): number => table.keyWord(slot, index);
    return {
      client: table.address(slot),
      server: formatAddress(word(4), word(5), word(6), word(7)),
      connections: table.value(slot, CONNECTIONS),
      requests: table.value(slot, REQUESTS),
      bare: table.value(slot, BARE),
    };
  }
}

/** Who asks clouds' metadata services, which hand out credentials. */
export const metadataAsks: TrackerDefinition<"metadata_asks"> = {
  name: "metadata_asks",
  help: "connections and requests to metadata services of clouds",
  capacity: CAPACITY,
  events: [FlowEvent.ESTABLISHED],
  agents: true,
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.client} ${row.server}`,
    weight: (row) => row.bare * 1000 + row.requests + row.connections,
    merge: (earlier, later) => ({ ...later, ...addFields(earlier, later, COUNTS) }),
  },
  create: (context) => new MetadataAsks(context),
};
