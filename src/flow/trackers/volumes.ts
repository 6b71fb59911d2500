// SPDX-License-Identifier: AGPL-3.0-or-later
import { formatAddress } from "../../util/address.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import type { FlowKey, Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/** What one client and one server carried in a window, in flows of some size; bytes as on the wire. */
export interface VolumeRow {
  readonly client: string;
  readonly server: string;
  /** Port of the server in the last flow. */
  readonly port: number;
  readonly upBytes: number;
  readonly downBytes: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly volumes: readonly VolumeRow[];
  }
}

const CAPACITY = 4096;
const ROW_LIMIT = 128;
const IDLE_MS = 3_600_000;
const FIRST_USER_PORT = 1024;

const UP = 0;
const DOWN = 1;
const PORT = 2;
const WINDOW_WORDS = 3;
const SERVER = 4;

class Volumes implements Tracker<VolumeRow> {
  readonly #table: EntityTable;

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted },
      ...{ keyWords: 8, windowWords: WINDOW_WORDS },
    });
  }

  onVolume(flow: FlowKey, clientBytes: number, serverBytes: number): void {
    // Met midway, with the server's packet first.
    if (flow.clientPort < FIRST_USER_PORT && flow.serverPort >= FIRST_USER_PORT) return;
    const table = this.#table;
    const { key } = table;
    key[0] = flow.client0;
    key[1] = flow.client1;
    key[2] = flow.client2;
    key[3] = flow.client3;
    key[SERVER] = flow.server0;
    key[SERVER + 1] = flow.server1;
    key[SERVER + 2] = flow.server2;
    key[SERVER + 3] = flow.server3;
    const slot = table.claim(flow.timeMs);
    table.add(slot, UP, clientBytes);
    table.add(slot, DOWN, serverBytes);
    table.rows[table.row(slot) + PORT] = flow.serverPort;
    table.weigh(slot, clientBytes);
  }

  close(timeMs: number): VolumeRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => table.value(slot, UP) + 1)
      .map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #describe(slot: number): VolumeRow {
    const table = this.#table;
    const word = (index: number): number => table.keyWord(slot, SERVER + index);
    return {
      client: table.address(slot),
      server: formatAddress(word(0), word(1), word(2), word(3)),
      port: table.value(slot, PORT),
      upBytes: table.value(slot, UP),
      downBytes: table.value(slot, DOWN),
    };
  }
}

/** What clients send to servers and get from them: evidence of data that is carried out. */
export const volumes: TrackerDefinition<"volumes"> = {
  name: "volumes",
  help: "what clients send to servers and get from them",
  capacity: CAPACITY,
  volumes: true,
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.client} ${row.server}`,
    weight: (row) => row.upBytes,
    merge: (earlier, later) => ({
      ...later,
      ...addFields(earlier, later, ["upBytes", "downBytes"]),
    }),
  },
  create: (context) => new Volumes(context),
};
