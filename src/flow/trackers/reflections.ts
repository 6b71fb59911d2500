// SPDX-License-Identifier: AGPL-3.0-or-later
import { FlowState, STATE_MASK } from "../flow-state.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import { candidateAddress, MAJORITY_WORDS, vote } from "../sketch/majority.ts";
import {
  BATCH_PACKETS,
  FlowEvent,
  type FlowKey,
  type Tracker,
  type TrackerContext,
  type TrackerDefinition,
} from "../tracker.ts";

/** UDP between one address and the port of a service that answers with more than it is asked, in a window. */
export interface ReflectionRow {
  /** Who gets the answers: the client, or who is made to look like one. */
  readonly victim: string;
  readonly port: number;
  /** First packets and whole batches of them; lengths on the wire. */
  readonly queries: number;
  readonly queryBytes: number;
  readonly answers: number;
  readonly answerBytes: number;
  /** Answers in flows that begin with one, until the victim says something: nobody asked, as far as was seen. */
  readonly unsolicited: number;
  /** The server of most of it, or one of many. */
  readonly topServer: string;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly reflections: readonly ReflectionRow[];
  }
}

const UDP = 17;
const STUN = 3478;
const CAPACITY = 2048;
const ROW_LIMIT = 64;
/**
 * Services whose answers are larger than what asks for them (US-CERT TA14-017A): QOTD, chargen, DNS, TFTP, portmap, NTP, NetBIOS,
 * SNMP, CLDAP, RIP, MS SQL browser, SSDP, STUN, WS-Discovery, CoAP, mDNS, ARD, memcached.
 */
const PORTS = new Set([
  ...[17, 19, 53, 69, 111, 123, 137, 161, 389, 520, 1434, 1900, 3283, 3478, 3702, 5353, 5683],
  11211,
]);

const COUNTS = ["queries", "queryBytes", "answers", "answerBytes", "unsolicited"] as const;
const [QUERIES, QUERY_BYTES, ANSWERS, ANSWER_BYTES, UNSOLICITED] = [0, 1, 2, 3, 4];
const SERVER = COUNTS.length;
const WINDOW_WORDS = SERVER + MAJORITY_WORDS;

class Reflections implements Tracker<ReflectionRow> {
  readonly #table: EntityTable;

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, hashSeed, evicted },
      ...{ keyWords: 5, windowWords: WINDOW_WORDS },
    });
  }

  onFlow(event: number, flow: FlowKey): void {
    if (flow.ipProtocol !== UDP) return;
    const isTurned = PORTS.has(flow.clientPort) && !PORTS.has(flow.serverPort);
    if (!isTurned && !PORTS.has(flow.serverPort)) return;
    const isAnswer = (flow.side === 1) !== isTurned;
    const packets = event === FlowEvent.BATCH ? BATCH_PACKETS : 1;
    const slot = this.#claim(flow, isTurned);
    const table = this.#table;
    table.add(slot, isAnswer ? ANSWERS : QUERIES, packets);
    table.add(slot, isAnswer ? ANSWER_BYTES : QUERY_BYTES, packets * flow.lengthBytes);
    if (isAnswer && isTurned && isUnasked(event, flow)) table.add(slot, UNSOLICITED, packets);
    table.weigh(slot, packets);
  }

  close(): ReflectionRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => weigh(table.value(slot, ANSWER_BYTES)))
      .map((slot) => this.#describe(slot));
    table.clear();
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #claim(flow: FlowKey, isTurned: boolean): number {
    const table = this.#table;
    const { client0, client1, client2, client3, server0, server1, server2, server3 } = flow;
    table.key[0] = isTurned ? server0 : client0;
    table.key[1] = isTurned ? server1 : client1;
    table.key[2] = isTurned ? server2 : client2;
    table.key[3] = isTurned ? server3 : client3;
    table.key[4] = isTurned ? flow.clientPort : flow.serverPort;
    const slot = table.claim(flow.timeMs);
    const at = table.row(slot) + SERVER;
    if (isTurned) vote(table.rows, at, client0, client1, client2, client3);
    else vote(table.rows, at, server0, server1, server2, server3);
    return slot;
  }

  #describe(slot: number): ReflectionRow {
    const table = this.#table;
    return {
      victim: table.address(slot),
      port: table.keyWord(slot, 4),
      ...table.named(slot, COUNTS),
      topServer: candidateAddress(table.rows, table.row(slot) + SERVER),
    };
  }
}

/** As long as the other end says nothing, what comes from a service was not asked for. A relay's stream may begin before the capture. */
function isUnasked(event: number, flow: FlowKey): boolean {
  if (event === FlowEvent.STARTED) return true;
  return (flow.state & STATE_MASK) === FlowState.OPEN && flow.clientPort !== STUN;
}

/** Order of rows: most bytes of answers first. */
function weigh(answerBytes: number): number {
  return answerBytes + 1;
}

/** Small questions and large answers over UDP: evidence of amplification. */
export const reflections: TrackerDefinition<"reflections"> = {
  name: "reflections",
  help: "questions to, and answers of, UDP services that can be made to amplify",
  capacity: CAPACITY,
  events: [FlowEvent.STARTED, FlowEvent.ESTABLISHED, FlowEvent.BATCH],
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.victim} ${row.port}`,
    weight: (row) => weigh(row.answerBytes),
    merge: (earlier, later) => ({ ...later, ...addFields(earlier, later, COUNTS) }),
  },
  create: (context) => new Reflections(context),
};
