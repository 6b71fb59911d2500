// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { formatAddress, V4_MAPPED_WORD2 } from "../../util/address.ts";
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

/** 169.254.169.254 (AWS, Azure, Google and others), 100.100.100.200 (Alibaba), fd00:ec2::254 (AWS). */
const LINK_LOCAL = 0xa9fea9fe | 0;
const ALIBABA = 0x646464c8;
const AWS_WORD0 = 0xfd000ec2 | 0;
const AWS_WORD3 = 0x254;

interface Asked {
  readonly http?: {
    readonly packet: number;
    readonly requests: number;
    namesMetadata(): boolean;
    hasMetadataHeader(): boolean;
  };
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
    if (flow.ipProtocol !== TCP || !isMetadata(server0, server1, server2, server3)) return;
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
    const { http } = packet.facts as Asked;
    if (http === undefined || http.packet !== packet.number || http.requests === 0) return;
    const { destination0, destination1, destination2, destination3 } = packet;
    const isServer = isMetadata(destination0, destination1, destination2, destination3);
    if (!isServer && !http.namesMetadata()) return;
    setPair(this.#table.key, packet, false);
    const slot = this.#table.claim(timeMs);
    this.#table.add(slot, REQUESTS, http.requests);
    if (!http.hasMetadataHeader()) this.#table.add(slot, BARE, http.requests);
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

function isMetadata(word0: number, word1: number, word2: number, word3: number): boolean {
  if (word0 === AWS_WORD0) return word1 === 0 && word2 === 0 && word3 === AWS_WORD3;
  if (word3 !== LINK_LOCAL && word3 !== ALIBABA) return false;
  return word0 === 0 && word1 === 0 && word2 === V4_MAPPED_WORD2;
}

/** Who asks clouds' metadata services, which hand out credentials. */
export const metadataAsks: TrackerDefinition<"metadata_asks"> = {
  name: "metadata_asks",
  help: "connections and requests to metadata services of clouds",
  capacity: CAPACITY,
  events: [FlowEvent.ESTABLISHED],
  application: "http",
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.client} ${row.server}`,
    weight: (row) => row.bare * 1000 + row.requests + row.connections,
    merge: (earlier, later) => ({ ...later, ...addFields(earlier, later, COUNTS) }),
  },
  create: (context) => new MetadataAsks(context),
};
