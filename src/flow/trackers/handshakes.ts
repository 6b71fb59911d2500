// SPDX-License-Identifier: AGPL-3.0-or-later
import { hashAddress, hashKey } from "../hash.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import { estimateDistinct, observeDistinct } from "../sketch/hyperloglog.ts";
import { candidateAddress, candidateVotes, MAJORITY_WORDS, vote } from "../sketch/majority.ts";
import {
  FlowEvent,
  type FlowKey,
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
/** 128 registers: 9 % off, counts below 20 nearly exact. */
const PRECISION = 7;

/** Words of a row: a count for each flow event by its number, then the vote on sources. */
const SOURCE = FlowEvent.UNANSWERED + 1;
const WINDOW_WORDS = SOURCE + MAJORITY_WORDS;

/** Counts each window from scratch: what is of interest is the balance of a second. */
class Handshakes implements Tracker<HandshakeRow> {
  readonly #table: EntityTable;
  readonly #key: number = 0;

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#key = hashKey(hashSeed, "handshakes");
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, hashSeed, evicted },
      ...{ keyWords: 5, windowWords: WINDOW_WORDS, sketchBytes: 1 << PRECISION },
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
    table.increment(slot, event);
    if (event === FlowEvent.SYN) this.#countSource(slot, flow);
  }

  close(): HandshakeRow[] {
    const found = this.#table
      .best(ROW_LIMIT, (slot) => weigh(this.#table.value(slot, FlowEvent.SYN)))
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
    const hash = hashAddress(client0, client1, client2, client3, this.#key);
    observeDistinct(table.sketches, table.sketch(slot), PRECISION, hash);
    vote(table.rows, table.row(slot) + SOURCE, client0, client1, client2, client3);
    table.weigh(slot, 1);
  }

  #describe(slot: number): HandshakeRow {
    const table = this.#table;
    const at = table.row(slot) + SOURCE;
    const topSourceSyn = candidateVotes(table.rows, at);
    return {
      destination: table.address(slot),
      port: table.keyWord(slot, 4),
      syn: table.value(slot, FlowEvent.SYN),
      synAck: table.value(slot, FlowEvent.SYN_ACK),
      established: table.value(slot, FlowEvent.ESTABLISHED),
      refused: table.value(slot, FlowEvent.REFUSED),
      aborted: table.value(slot, FlowEvent.ABORTED),
      unanswered: table.value(slot, FlowEvent.UNANSWERED),
      sources: Math.round(estimateDistinct(table.sketches, table.sketch(slot), PRECISION)),
      topSource: topSourceSyn > 0 ? candidateAddress(table.rows, at) : "",
      topSourceSyn,
    };
  }
}

/** Order of rows: most SYNs first; a service without any has only late outcomes to show. */
function weigh(syn: number): number {
  return syn + 1;
}

const SUMS = ["syn", "synAck", "established", "refused", "aborted", "unanswered"] as const;

/** Handshakes begun, answered and completed at each TCP service: evidence of SYN floods. */
export const handshakes: TrackerDefinition<"handshakes"> = {
  name: "handshakes",
  help: "TCP handshakes of each service",
  capacity: CAPACITY,
  events: [
    ...[FlowEvent.SYN, FlowEvent.SYN_ACK, FlowEvent.ESTABLISHED],
    ...[FlowEvent.REFUSED, FlowEvent.UNANSWERED, FlowEvent.ABORTED],
  ],
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.destination} ${row.port}`,
    weight: (row) => weigh(row.syn),
    merge(earlier, later) {
      const top = later.topSourceSyn > earlier.topSourceSyn ? later : earlier;
      const isSameTop = earlier.topSource === later.topSource;
      return {
        ...top,
        ...addFields(earlier, later, SUMS),
        sources: Math.max(earlier.sources, later.sources),
        topSourceSyn: isSameTop ? earlier.topSourceSyn + later.topSourceSyn : top.topSourceSyn,
      };
    },
  },
  create: (context) => new Handshakes(context),
};
