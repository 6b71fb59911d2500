// SPDX-License-Identifier: AGPL-3.0-or-later
import { TcpFlag } from "../../decode/packet.ts";
import type { FlowRows } from "../flow-rows.ts";
import { FlowState, hasEnded, STATE_MASK } from "../flow-state.ts";
import { hashAddress, hashKey } from "../hash.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import { estimateDistinct, observeDistinct } from "../sketch/hyperloglog.ts";
import {
  candidateAddress,
  candidateVotes,
  candidateWord,
  MAJORITY_WORDS,
  vote,
} from "../sketch/majority.ts";
import {
  BATCH_PACKETS,
  FlowEvent,
  type FlowKey,
  type Tracker,
  type TrackerContext,
  type TrackerDefinition,
} from "../tracker.ts";

/** What one IP protocol sent to one address in a window, as far as flows began or went on for long. */
export interface TargetRow {
  readonly destination: string;
  readonly ipProtocol: number;
  /**
   * Flows begun towards it, without ICMP errors about what it sent itself; those of them, or of earlier windows, that it
   * answered or refused in this one.
   */
  readonly flows: number;
  readonly answered: number;
  readonly refused: number;
  /** Packets to it, first ones and whole batches; those of flows in which it never sent anything. */
  readonly packets: number;
  readonly unanswered: number;
  readonly bytes: number;
  /** TCP packets that belong to no connection, by flags. */
  readonly ack: number;
  readonly rst: number;
  readonly fin: number;
  readonly synAck: number;
  readonly odd: number;
  /** Packets among them that answer flows which the address began itself, or are ICMP errors about what it sent. */
  readonly replies: number;
  /** Flows begun by the address itself, and those of them between one and the same port. */
  readonly land: number;
  readonly landSamePort: number;
  /** Estimate of the distinct addresses that began flows. */
  readonly sources: number;
  /** The address and the port of most of the packets, or one of many. */
  readonly topSource: string;
  readonly topSourceVotes: number;
  readonly topPort: number;
  readonly topPortVotes: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly targets: readonly TargetRow[];
  }
}

const TCP = 6;
const CAPACITY = 4096;
const ROW_LIMIT = 128;
/** One packet that claims to come from its target says more than thousands that a flood's victim sends to anybody. */
const FORGERY_WEIGHT = 1_000_000;
/** 128 registers: 9 % off, counts below 20 nearly exact. */
const PRECISION = 7;
const { FIN, SYN, RST, ACK } = TcpFlag;
const { MIDSTREAM, OPEN } = FlowState;

const COUNTS = [
  ...(["flows", "answered", "refused", "packets", "unanswered", "bytes"] as const),
  ...(["ack", "rst", "fin", "synAck", "odd", "land", "landSamePort"] as const),
  "replies",
] as const;
/** Words of a row: the counts in their order, then votes. */
const [FLOWS, ANSWERED, REFUSED, PACKETS, UNANSWERED, BYTES] = [0, 1, 2, 3, 4, 5];
const STRAY = 6;
const [LAND, LAND_SAME_PORT, REPLIES] = [11, 12, 13];
const SOURCE = COUNTS.length;
const PORT = SOURCE + MAJORITY_WORDS;
const WINDOW_WORDS = PORT + MAJORITY_WORDS;

/** Counts each window from scratch: a flood is a matter of seconds. */
class Targets implements Tracker<TargetRow> {
  readonly #table: EntityTable;
  readonly #flowRows: FlowRows;
  readonly #key: number = 0;

  constructor({ hashSeed, evicted, flowRows }: TrackerContext) {
    this.#key = hashKey(hashSeed, "targets");
    this.#flowRows = flowRows;
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, hashSeed, evicted },
      ...{ keyWords: 5, windowWords: WINDOW_WORDS, sketchBytes: 1 << PRECISION },
    });
  }

  onFlow(event: number, flow: FlowKey): void {
    const isToServer = event !== FlowEvent.BATCH || flow.side === 0;
    const slot = this.#claim(flow, isToServer);
    switch (event) {
      case FlowEvent.STARTED:
        if (this.#flowRows.asked(flow.slot) > 0) this.#table.increment(slot, REPLIES);
        else this.#begin(slot, flow);
        this.#send(slot, flow, 1, flow.side === 0);
        return;
      case FlowEvent.BATCH:
        this.#table.add(
          slot,
          REPLIES,
          isToServer ? this.#flowRows.asked(flow.slot) : BATCH_PACKETS,
        );
        if (isRefused(flow)) this.#table.increment(slot, REFUSED);
        this.#send(slot, flow, BATCH_PACKETS, isToServer && isUnanswered(flow));
        return;
      case FlowEvent.ESTABLISHED:
        this.#table.increment(slot, ANSWERED);
        return;
      default:
        this.#table.increment(slot, REFUSED);
    }
  }

  close(): TargetRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) =>
        weigh(table.value(slot, PACKETS), table.value(slot, LAND_SAME_PORT)),
      )
      .map((slot) => this.#describe(slot));
    table.clear();
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #claim(flow: FlowKey, isToServer: boolean): number {
    const { key } = this.#table;
    key[0] = isToServer ? flow.server0 : flow.client0;
    key[1] = isToServer ? flow.server1 : flow.client1;
    key[2] = isToServer ? flow.server2 : flow.client2;
    key[3] = isToServer ? flow.server3 : flow.client3;
    key[4] = flow.ipProtocol;
    return this.#table.claim(flow.timeMs);
  }

  #begin(slot: number, flow: FlowKey): void {
    const table = this.#table;
    table.increment(slot, FLOWS);
    const { client0, client1, client2, client3, server0, server1, server2, server3 } = flow;
    const hash = hashAddress(client0, client1, client2, client3, this.#key);
    observeDistinct(table.sketches, table.sketch(slot), PRECISION, hash);
    const unlike =
      (client0 ^ server0) | (client1 ^ server1) | (client2 ^ server2) | (client3 ^ server3);
    if (unlike !== 0) return;
    table.increment(slot, LAND);
    if (flow.clientPort !== flow.serverPort) return;
    table.increment(slot, LAND_SAME_PORT);
    table.weigh(slot, FORGERY_WEIGHT);
  }

  #send(slot: number, flow: FlowKey, packets: number, isUnanswered: boolean): void {
    const table = this.#table;
    const { client0, client1, client2, client3 } = flow;
    const at = table.row(slot);
    table.add(slot, PACKETS, packets);
    if (isUnanswered) table.add(slot, UNANSWERED, packets);
    table.add(slot, BYTES, packets * flow.lengthBytes);
    table.weigh(slot, packets);
    vote(table.rows, at + SOURCE, client0, client1, client2, client3);
    vote(table.rows, at + PORT, 0, 0, 0, flow.serverPort);
    if (flow.ipProtocol !== TCP) return;
    const stray = strayKind(flow, packets === 1);
    if (stray >= 0) table.add(slot, STRAY + stray, packets);
  }

  #describe(slot: number): TargetRow {
    const table = this.#table;
    const at = table.row(slot);
    const topSourceVotes = candidateVotes(table.rows, at + SOURCE);
    return {
      destination: table.address(slot),
      ipProtocol: table.keyWord(slot, 4),
      ...table.named(slot, COUNTS),
      sources: Math.round(estimateDistinct(table.sketches, table.sketch(slot), PRECISION)),
      topSource: topSourceVotes > 0 ? candidateAddress(table.rows, at + SOURCE) : "",
      topSourceVotes,
      topPort: candidateWord(table.rows, at + PORT),
      topPortVotes: candidateVotes(table.rows, at + PORT),
    };
  }
}

/** True where the client sends on although it was told that nobody wants it. */
function isRefused({ ipProtocol, state }: FlowKey): boolean {
  return ipProtocol !== TCP && (state & STATE_MASK) === FlowState.REFUSED;
}

function isUnanswered(flow: FlowKey): boolean {
  return (flow.state & STATE_MASK) === OPEN || isRefused(flow);
}

/**
 * Which of ack, rst, fin, synAck, odd a packet is that belongs to no connection; -1 for any other packet. What goes on
 * in a connection that was met midway is taken for its data.
 */
function strayKind(flow: FlowKey, isFirst: boolean): number {
  const { tcpFlags, state, side } = flow;
  if (!hasEnded(state) && !(isFirst && (state & STATE_MASK) === MIDSTREAM)) {
    return side === 1 && (tcpFlags & (SYN | ACK)) === (SYN | ACK) ? 3 : -1;
  }
  if ((tcpFlags & RST) !== 0) return 1;
  if ((tcpFlags & ACK) === 0) return (tcpFlags & 63) === FIN ? 2 : 4;
  return (tcpFlags & FIN) === 0 ? 0 : 2;
}

/** Order of rows: forgeries, then most packets first; a target without any has only outcomes to show. */
function weigh(packets: number, landSamePort: number): number {
  return packets + 1 + (landSamePort > 0 ? FORGERY_WEIGHT : 0);
}

/** What is sent to each address, and whether it answers: evidence of floods. */
export const targets: TrackerDefinition<"targets"> = {
  name: "targets",
  help: "packets to each address by IP protocol, and whether it answers",
  capacity: CAPACITY,
  events: [
    ...[FlowEvent.STARTED, FlowEvent.ESTABLISHED, FlowEvent.REFUSED],
    ...[FlowEvent.REJECTED, FlowEvent.BATCH],
  ],
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.destination} ${row.ipProtocol}`,
    weight: (row) => weigh(row.packets, row.landSamePort),
    merge: (earlier, later) => ({
      ...(later.topSourceVotes > earlier.topSourceVotes ? later : earlier),
      ...addFields(earlier, later, COUNTS),
      sources: Math.max(earlier.sources, later.sources),
    }),
  },
  create: (context) => new Targets(context),
};
