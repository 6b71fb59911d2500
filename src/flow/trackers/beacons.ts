// SPDX-License-Identifier: AGPL-3.0-or-later

import { formatAddress } from "../../util/address.ts";
import { i32 } from "../../util/typed.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import {
  FlowEvent,
  type FlowKey,
  type Tracker,
  type TrackerContext,
  type TrackerDefinition,
} from "../tracker.ts";

/** One client's connections to one service, as far apart in time as they began: evidence of a beacon. */
export interface BeaconRow {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp" | "other";
  /** Connections since the first, those that began within half a second of each other as one. */
  readonly connections: number;
  /** Milliseconds between the last ones, at most 32, in no certain order. */
  readonly intervalsMs: readonly number[];
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly beacons: readonly BeaconRow[];
  }
}

const CAPACITY = 8192;
const ROW_LIMIT = 256;
const IDLE_MS = 6 * 3_600_000;
const TCP = 6;
const UDP = 17;
/** Connections that begin together, as those of a browser do, are one. */
const TOGETHER_MS = 500;
const INTERVALS = 32;

/** Words of the key behind the client's address. */
const SERVER = 4;
const PORT = 8;
const PROTOCOL = 9;
const KEY_WORDS = 10;
/** Words of a row: connections, when the last began, and a ring of intervals. */
const BEGUN = 0;
const CONNECTIONS = 1;
const LAST = 2;
const FIRST_INTERVAL = 3;
const LIFE_WORDS = 2 + INTERVALS;

class Beacons implements Tracker<BeaconRow> {
  readonly #table: EntityTable;

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted },
      ...{ keyWords: KEY_WORDS, windowWords: 1, lifeWords: LIFE_WORDS },
    });
  }

  onFlow(_event: number, flow: FlowKey): void {
    const table = this.#table;
    const { key, rows } = table;
    key[0] = flow.client0;
    key[1] = flow.client1;
    key[2] = flow.client2;
    key[3] = flow.client3;
    key[SERVER] = flow.server0;
    key[SERVER + 1] = flow.server1;
    key[SERVER + 2] = flow.server2;
    key[SERVER + 3] = flow.server3;
    key[PORT] = flow.serverPort;
    key[PROTOCOL] = flow.ipProtocol;
    const slot = table.claim(flow.timeMs);
    const at = table.row(slot);
    const now = Math.trunc(flow.timeMs) | 0;
    // Times wrap every 25 days, differences do not.
    const interval = (now - i32(rows, at + LAST)) | 0;
    if (!table.isNew && interval < TOGETHER_MS) return;
    const connections = i32(rows, at + CONNECTIONS);
    if (!table.isNew) rows[at + FIRST_INTERVAL + ((connections - 1) % INTERVALS)] = interval;
    rows[at + CONNECTIONS] = connections + 1;
    rows[at + LAST] = now;
    table.increment(slot, BEGUN);
    table.weigh(slot, 1);
  }

  close(timeMs: number): BeaconRow[] {
    const table = this.#table;
    const score = (slot: number): number =>
      table.value(slot, BEGUN) > 0 ? table.value(slot, CONNECTIONS) : 0;
    const found = table.best(ROW_LIMIT, score).map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #describe(slot: number): BeaconRow {
    const table = this.#table;
    const word = (index: number): number => table.keyWord(slot, index);
    const protocol = word(PROTOCOL);
    const connections = table.value(slot, CONNECTIONS);
    const kept = Math.min(INTERVALS, connections - 1);
    return {
      client: table.address(slot),
      server: formatAddress(word(SERVER), word(SERVER + 1), word(SERVER + 2), word(SERVER + 3)),
      port: word(PORT),
      protocol: protocol === TCP ? "tcp" : protocol === UDP ? "udp" : "other",
      connections,
      intervalsMs: Array.from({ length: kept }, (_, at) => table.value(slot, FIRST_INTERVAL + at)),
    };
  }
}

/** When each client's connections to each service begin: evidence of beacons. */
export const beacons: TrackerDefinition<"beacons"> = {
  name: "beacons",
  help: "when each client's connections to each service begin",
  capacity: CAPACITY,
  events: [FlowEvent.STARTED],
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.client} ${row.server} ${row.port} ${row.protocol}`,
    weight: (row) => row.connections,
    merge: (earlier, later) => (later.connections >= earlier.connections ? later : earlier),
  },
  create: (context) => new Beacons(context),
};
