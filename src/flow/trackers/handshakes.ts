// SPDX-License-Identifier: AGPL-3.0-or-later
import { formatAddress } from "../../util/address.ts";
import { i32 } from "../../util/typed.ts";
import { hashAddress, hashKey } from "../hash.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import { estimateDistinct, observeDistinct } from "../sketch/hyperloglog.ts";
import { candidateVotes, candidateWord, MAJORITY_WORDS, vote } from "../sketch/majority.ts";
import {
  FlowEvent,
  type FlowKey,
  type RowRules,
  type Tracker,
  type TrackerContext,
  type TrackerDefinition,
} from "../tracker.ts";

/** TCP handshakes of one service, a server's address and port, during one window. */
export interface HandshakeRow {
  readonly destination: string;
  readonly port: number;
  /** SYNs sent to it, retransmissions included. */
  readonly syn: number;
  /** SYNs it answered. */
  readonly synAck: number;
  readonly established: number;
  readonly refused: number;
  readonly aborted: number;
  readonly unanswered: number;
  /** Estimate of the distinct addresses that sent a SYN. */
  readonly sources: number;
  /** The address that sent most of the SYNs, or one of many, and how many it sent at least. */
  readonly topSource: string;
  readonly topSourceSyn: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly handshakes: readonly HandshakeRow[];
  }
}

const TCP = 6;
const CAPACITY = 4096;
const ROW_LIMIT = 128;

/** Words of a row: a count for each flow event from SYN on, at its number less one, then the vote on sources. */
const Column = {
  SYN: 0,
  SYN_ACK: 1,
  ESTABLISHED: 2,
  REFUSED: 3,
  ABORTED: 4,
  UNANSWERED: 5,
} as const;
const SOURCE = 6;
const WINDOW_WORDS = SOURCE + MAJORITY_WORDS;
const PRECISION = 7;

class Handshakes implements Tracker<HandshakeRow> {
  readonly #table: EntityTable;
  readonly #key: number = 0;

  constructor(context: TrackerContext) {
    this.#key = hashKey(context.hashSeed, 7);
    this.#table = new EntityTable({
      capacity: CAPACITY,
      keyWords: 5,
      windowWords: WINDOW_WORDS,
      sketchBytes: 1 << PRECISION,
      hashSeed: context.hashSeed,
      evicted: context.evicted,
    });
  }

  onFlow(event: number, flow: FlowKey): void {
    if (flow.ipProtocol !== TCP) return;
    const table = this.#table;
    table.key[0] = flow.server0;
    table.key[1] = flow.server1;
    table.key[2] = flow.server2;
    table.key[3] = flow.server3;
    table.key[4] = flow.serverPort;
    const slot = table.claim(flow.timeMs);
    const at = table.row(slot);
    const column = at + event - FlowEvent.SYN;
    table.rows[column] = i32(table.rows, column) + 1;
    if (event === FlowEvent.SYN) this.#countSource(slot, flow);
  }

  close(): HandshakeRow[] {
    const { rows } = this.#table;
    const found = this.#table
      .best(ROW_LIMIT, (slot) => weigh(i32(rows, this.#table.row(slot) + Column.SYN)))
      .map((slot) => this.#describe(slot));
    this.#table.clear();
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #countSource(slot: number, flow: FlowKey): void {
    const table = this.#table;
    const { client0, client1, client2, client3 } = flow;
    const source = hashAddress(client0, client1, client2, client3, this.#key);
    observeDistinct(table.sketches, table.sketch(slot), PRECISION, source);
    vote(table.rows, table.row(slot) + SOURCE, client0, client1, client2, client3);
    table.weigh(slot, 1);
  }

  #describe(slot: number): HandshakeRow {
    const table = this.#table;
    const { rows } = table;
    const at = table.row(slot);
    const word = (index: number): number => table.keyWord(slot, index);
    const top = (index: number): number => candidateWord(rows, at + SOURCE, index);
    const topSourceSyn = candidateVotes(rows, at + SOURCE);
    return {
      destination: formatAddress(word(0), word(1), word(2), word(3)),
      port: word(4),
      syn: i32(rows, at + Column.SYN),
      synAck: i32(rows, at + Column.SYN_ACK),
      established: i32(rows, at + Column.ESTABLISHED),
      refused: i32(rows, at + Column.REFUSED),
      aborted: i32(rows, at + Column.ABORTED),
      unanswered: i32(rows, at + Column.UNANSWERED),
      sources: Math.round(estimateDistinct(table.sketches, table.sketch(slot), PRECISION)),
      topSource: topSourceSyn > 0 ? formatAddress(top(0), top(1), top(2), top(3)) : "",
      topSourceSyn,
    };
  }
}

/** Order of rows: most SYNs first; a service without any has only late outcomes to show. */
function weigh(syn: number): number {
  return syn + 1;
}

const rules: RowRules<HandshakeRow> = {
  limit: ROW_LIMIT,
  key: (row) => `${row.destination} ${row.port}`,
  weight: (row) => weigh(row.syn),
  merge(earlier, later) {
    const isSameTop = earlier.topSource === later.topSource;
    const top = later.topSourceSyn > earlier.topSourceSyn ? later : earlier;
    return {
      ...top,
      syn: earlier.syn + later.syn,
      synAck: earlier.synAck + later.synAck,
      established: earlier.established + later.established,
      refused: earlier.refused + later.refused,
      aborted: earlier.aborted + later.aborted,
      unanswered: earlier.unanswered + later.unanswered,
      sources: Math.max(earlier.sources, later.sources),
      topSourceSyn: isSameTop ? earlier.topSourceSyn + later.topSourceSyn : top.topSourceSyn,
    };
  },
};

/** Handshakes begun, answered and completed at each TCP service: evidence of SYN floods. */
export const handshakes: TrackerDefinition<"handshakes"> = {
  name: "handshakes",
  help: "TCP handshakes of each service",
  capacity: CAPACITY,
  events: [
    FlowEvent.SYN,
    FlowEvent.SYN_ACK,
    FlowEvent.ESTABLISHED,
    FlowEvent.REFUSED,
    FlowEvent.ABORTED,
    FlowEvent.UNANSWERED,
  ],
  rows: rules,
  create: (context) => new Handshakes(context),
};
