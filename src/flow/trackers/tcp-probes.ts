// SPDX-License-Identifier: AGPL-3.0-or-later
import { TcpFlag } from "../../decode/packet.ts";
import { hashAddress, hashKey, mix } from "../hash.ts";
import { addFields, greaterFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import {
  estimateFading,
  FADING_BYTES,
  isSpanOver,
  observeFading,
  turnFading,
} from "../sketch/fading-distinct.ts";
import { candidateAddress, candidateWord, MAJORITY_WORDS, vote } from "../sketch/majority.ts";
import {
  FlowEvent,
  type FlowKey,
  type Tracker,
  type TrackerContext,
  type TrackerDefinition,
} from "../tracker.ts";

/**
 * TCP packets of one source that no connection begins with, and that get answers out of hosts all the same (RFC 9293
 * §3.10.7.1): FIN, NULL, Xmas and the like, and ACKs that are answered with RST.
 */
export interface TcpProbeRow {
  readonly source: string;
  /** Packets of this window without any flag; with FIN only; with FIN, PSH and URG; with others but not SYN, RST or ACK. */
  readonly none: number;
  readonly fin: number;
  readonly xmas: number;
  readonly other: number;
  /** Packets with ACK, or any of the above, that were answered with RST in this window. */
  readonly rejected: number;
  /** Estimates of the distinct hosts and ports of the last 1 to 2 minutes. */
  readonly destinations: number;
  readonly ports: number;
  readonly topDestination: string;
  readonly topPort: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly tcp_probes: readonly TcpProbeRow[];
  }
}

const TCP = 6;
const CAPACITY = 4096;
const ROW_LIMIT = 128;
const IDLE_MS = 10 * 60_000;
const SPAN_MS = 60_000;
const { FIN, SYN, RST, PSH, ACK, URG } = TcpFlag;
const XMAS = FIN | PSH | URG;
const FLAGS = XMAS | SYN | RST | ACK;

/** Words of a row. */
const COUNTS = ["none", "fin", "xmas", "other", "rejected"] as const;
const REJECTED = 4;
const DESTINATION = COUNTS.length;
const PORT = DESTINATION + MAJORITY_WORDS;
const WINDOW_WORDS = PORT + MAJORITY_WORDS;
const SPAN_START = WINDOW_WORDS;
/** Bytes of an entity. */
const DESTINATIONS = 0;
const PORTS = FADING_BYTES;

class TcpProbes implements Tracker<TcpProbeRow> {
  readonly #table: EntityTable;
  readonly #key: number = 0;

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#key = hashKey(hashSeed, "tcp probes");
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted },
      ...{ keyWords: 4, windowWords: WINDOW_WORDS, lifeWords: 1, sketchBytes: 2 * FADING_BYTES },
    });
  }

  onFlow(event: number, flow: FlowKey): void {
    if (flow.ipProtocol !== TCP) return;
    if (event === FlowEvent.REJECTED) {
      // A server that sends to clients long gone is rejected, too.
      if (flow.clientPort > flow.serverPort) this.#count(flow, REJECTED);
    } else if ((flow.tcpFlags & (SYN | RST | ACK)) === 0) this.#count(flow, kindOf(flow.tcpFlags));
  }

  close(timeMs: number): TcpProbeRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => weigh(this.#total(slot)))
      .map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #total(slot: number): number {
    return COUNTS.reduce((sum, _, column) => sum + this.#table.value(slot, column), 0);
  }

  #count(flow: FlowKey, column: number): void {
    const table = this.#table;
    const { server0, server1, server2, server3, serverPort } = flow;
    table.key[0] = flow.client0;
    table.key[1] = flow.client1;
    table.key[2] = flow.client2;
    table.key[3] = flow.client3;
    const slot = table.claim(flow.timeMs);
    const { rows, sketches, isNew } = table;
    const at = table.row(slot);
    const sketch = table.sketch(slot);
    if (isSpanOver(rows, at + SPAN_START, isNew, flow.timeMs, SPAN_MS)) {
      turnFading(sketches, sketch + DESTINATIONS);
      turnFading(sketches, sketch + PORTS);
    }
    const host = hashAddress(server0, server1, server2, server3, this.#key);
    observeFading(sketches, sketch + DESTINATIONS, host);
    observeFading(sketches, sketch + PORTS, mix(serverPort, this.#key));
    vote(rows, at + DESTINATION, server0, server1, server2, server3);
    vote(rows, at + PORT, 0, 0, 0, serverPort);
    table.increment(slot, column);
    table.weigh(slot, 1);
  }

  #describe(slot: number): TcpProbeRow {
    const table = this.#table;
    const at = table.row(slot);
    const sketch = table.sketch(slot);
    return {
      source: table.address(slot),
      ...table.named(slot, COUNTS),
      destinations: estimateFading(table.sketches, sketch + DESTINATIONS),
      ports: estimateFading(table.sketches, sketch + PORTS),
      topDestination: candidateAddress(table.rows, at + DESTINATION),
      topPort: candidateWord(table.rows, at + PORT),
    };
  }
}

function kindOf(tcpFlags: number): number {
  const flags = tcpFlags & FLAGS;
  if (flags === 0) return 0;
  if (flags === FIN) return 1;
  return flags === XMAS ? 2 : 3;
}

function weigh(packets: number): number {
  return packets + 1;
}

/** TCP packets outside connections that make hosts answer: evidence of stealth scans. */
export const tcpProbes: TrackerDefinition<"tcp_probes"> = {
  name: "tcp_probes",
  help: "TCP packets outside connections that make hosts answer",
  capacity: CAPACITY,
  events: [FlowEvent.STARTED, FlowEvent.REJECTED],
  rows: {
    limit: ROW_LIMIT,
    key: (row) => row.source,
    weight: (row) => weigh(COUNTS.reduce((sum, name) => sum + row[name], 0)),
    merge: (earlier, later) => ({
      ...later,
      ...addFields(earlier, later, COUNTS),
      ...greaterFields(earlier, later, ["destinations", "ports"]),
    }),
  },
  create: (context) => new TcpProbes(context),
};
