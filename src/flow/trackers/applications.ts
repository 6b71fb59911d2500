// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import { candidateAddress, MAJORITY_WORDS, vote } from "../sketch/majority.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/** Flows of one service whose payload proved, in this window, which application they are of. */
export interface ApplicationRow {
  readonly server: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp" | "other";
  /** Value of the `protocol` label of application metrics. */
  readonly application: string;
  readonly flows: number;
  /** The client most of them were of, or one of many. */
  readonly topClient: string;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly applications: readonly ApplicationRow[];
  }
}

const CAPACITY = 4096;
const ROW_LIMIT = 256;
const IDLE_MS = 3_600_000;
const TCP = 6;
const UDP = 17;

const PORT = 4;
const PROTOCOL = 5;
const APPLICATION = 6;
const KEY_WORDS = 7;
const FLOWS = 0;
const CLIENT = 1;
const WINDOW_WORDS = CLIENT + MAJORITY_WORDS;

class Applications implements Tracker<ApplicationRow> {
  readonly #table: EntityTable;
  readonly #names: readonly string[];

  constructor({ hashSeed, evicted, applicationNames }: TrackerContext) {
    this.#names = applicationNames;
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted },
      ...{ keyWords: KEY_WORDS, windowWords: WINDOW_WORDS },
    });
  }

  onRecognised(packet: Packet, timeMs: number): void {
    const { key, rows } = this.#table;
    const isFromClient = packet.flowSide === 0;
    key[0] = isFromClient ? packet.destination0 : packet.source0;
    key[1] = isFromClient ? packet.destination1 : packet.source1;
    key[2] = isFromClient ? packet.destination2 : packet.source2;
    key[3] = isFromClient ? packet.destination3 : packet.source3;
    key[PORT] = isFromClient ? packet.destinationPort : packet.sourcePort;
    key[PROTOCOL] = packet.ipProtocol;
    key[APPLICATION] = packet.application;
    const slot = this.#table.claim(timeMs);
    this.#table.increment(slot, FLOWS);
    this.#table.weigh(slot, 1);
    const at = this.#table.row(slot) + CLIENT;
    if (isFromClient) {
      vote(rows, at, packet.source0, packet.source1, packet.source2, packet.source3);
    } else {
      const { destination0, destination1, destination2, destination3 } = packet;
      vote(rows, at, destination0, destination1, destination2, destination3);
    }
  }

  close(timeMs: number): ApplicationRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => table.value(slot, FLOWS))
      .map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #describe(slot: number): ApplicationRow {
    const table = this.#table;
    const protocol = table.keyWord(slot, PROTOCOL);
    return {
      server: table.address(slot),
      port: table.keyWord(slot, PORT),
      protocol: protocol === TCP ? "tcp" : protocol === UDP ? "udp" : "other",
      application: this.#names[table.keyWord(slot, APPLICATION)] ?? "other",
      flows: table.value(slot, FLOWS),
      topClient: candidateAddress(table.rows, table.row(slot) + CLIENT),
    };
  }
}

/** Which applications each service speaks, as payloads prove: evidence of unusual ports. */
export const applications: TrackerDefinition<"applications"> = {
  name: "applications",
  help: "which applications each service speaks",
  capacity: CAPACITY,
  recognised: true,
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.server} ${row.port} ${row.protocol} ${row.application}`,
    weight: (row) => row.flows,
    merge: (earlier, later) => ({
      ...(later.flows > earlier.flows ? later : earlier),
      ...addFields(earlier, later, ["flows"]),
    }),
  },
  create: (context) => new Applications(context),
};
