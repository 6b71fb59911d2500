// SPDX-License-Identifier: AGPL-3.0-or-later
import { emptyPacket, type Packet, TcpFlag } from "../src/decode/packet.ts";
import { flowGauges, flowMetrics } from "../src/flow/families.ts";
import { Flows } from "../src/flow/flows.ts";
import { FlowStage } from "../src/flow/stage.ts";
import { CellLayout } from "../src/metrics/cells.ts";
import { V4_MAPPED_WORD2 } from "../src/util/address.ts";
import type { Bench, Row } from "./bench.ts";

const CAPACITY = 262_144;
const START_MS = 1.7e12;
/** 100,000 packets a second. */
const STEP_MS = 0.01;
/** Packets of a round; the best round counts, because other work on the machine can only add time. */
const ROUND = 100_000;
const ROUNDS = 60;
/** Prepared packets: addresses and ports in four words each. */
const PREPARED = 0x40000;
const WORDS = 4;

/** What is measured: one packet in, and the end of a window. */
interface Subject {
  accept(packet: Packet, timeMs: number): void;
  close(timeMs: number): void;
}

interface Load {
  readonly what: string;
  /** Goals of lookup with update, and of the whole stage. */
  readonly goalsNs: readonly [number, number];
  /** Writes packet number `index` of the load into `packet`. */
  readonly fill: (packet: Packet, index: number) => void;
}

/** Cost of the flow stage for one packet: lookup, state, events, trackers, distinct counts and window ends. */
export const flowBench: Bench = {
  name: "flow",
  what: "flow table and trackers, nanoseconds a packet",
  needsRoot: false,
  async run(say) {
    const rows: Row[] = [];
    for (const load of loads()) {
      for (const [index, [part, create]] of SUBJECTS.entries()) {
        const nanoseconds = measure(load, create());
        say(`${part}, ${load.what}: ${nanoseconds.toFixed(0)} ns`);
        rows.push(row(`${part}, ${load.what}`, nanoseconds, load.goalsNs[index] ?? 0));
      }
    }
    return rows;
  },
};

const SUBJECTS: readonly (readonly [string, () => Subject])[] = [
  ["lookup and update", createFlows],
  ["whole flow stage", createStage],
];

function loads(): Load[] {
  return [
    { what: "100 equally popular flows", goalsNs: [30, 50], fill: connections(100, 1) },
    { what: "50,000 flows, popularity u²", goalsNs: [90, 110], fill: connections(50_000, 2) },
    { what: "150,000 equally popular flows", goalsNs: [150, 180], fill: connections(150_000, 1) },
    { what: "SYN flood from random sources", goalsNs: [500, 1000], fill: flood() },
  ];
}

function row(what: string, nanoseconds: number, goalNs: number): Row {
  const [measured, goal] = [`${nanoseconds.toFixed(0)} ns`, `at most ${goalNs} ns`];
  return { what, measured, against: "", ratio: null, goal, met: nanoseconds <= goalNs };
}

function measure(load: Load, subject: Subject): number {
  const packet = Object.assign(emptyPacket({}), {
    ...{ transportAt: 34, ipVersion: 4, ipProtocol: 6, wireLength: 100 },
    ...{ source2: V4_MAPPED_WORD2, destination2: V4_MAPPED_WORD2 },
  });
  let index = 0;
  const round = (): void => {
    for (const end = index + ROUND; index < end; index++) {
      load.fill(packet, index);
      subject.accept(packet, START_MS + index * STEP_MS);
    }
    subject.close(START_MS + index * STEP_MS);
  };
  const emptyRound = (): void => {
    for (let at = 0; at < ROUND; at++) load.fill(packet, at);
  };
  for (let warm = 0; warm < PREPARED; warm += ROUND) round();
  return (best(round) - best(emptyRound)) / ROUND;
}

function best(work: () => void): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    const start = process.hrtime.bigint();
    work();
    shortest = Math.min(shortest, Number(process.hrtime.bigint() - start));
  }
  return shortest;
}

/** Packets of both directions of connections met midway, in random order. */
function connections(flows: number, power: number): Load["fill"] {
  const random = createRandom();
  const ends = new Int32Array(flows * WORDS).map(() => random() * 2 ** 32);
  const packets = new Int32Array(PREPARED * WORDS);
  for (let at = 0; at < packets.length; at += WORDS) {
    const flow = Math.floor(flows * random() ** power) * WORDS;
    const side = random() < 0.5 ? 1 : 0;
    packets[at] = ends[flow + side] ?? 0;
    packets[at + 1] = ends[flow + 1 - side] ?? 0;
    packets[at + 2] = (ends[flow + 2 + side] ?? 0) & 0xffff;
    packets[at + 3] = (ends[flow + 3 - side] ?? 0) & 0xffff;
  }
  return (packet, index) => {
    const at = (index & (PREPARED - 1)) * WORDS;
    packet.source3 = packets[at] as number;
    packet.destination3 = packets[at + 1] as number;
    packet.sourcePort = packets[at + 2] as number;
    packet.destinationPort = packets[at + 3] as number;
    packet.tcpFlags = TcpFlag.ACK;
  };
}

function flood(): Load["fill"] {
  const random = createRandom();
  return (packet) => {
    packet.source3 = (random() * 2 ** 32) | 0;
    packet.destination3 = 0x0a000001;
    packet.sourcePort = (random() * 65_536) | 0;
    packet.destinationPort = 80;
    packet.tcpFlags = TcpFlag.SYN;
  };
}

/** A fast generator with a fixed start (xorshift32); 0 to 1. */
function createRandom(): () => number {
  let state = 0x2545f491;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function createFlows(): Subject {
  const layout = new CellLayout(flowMetrics);
  const counters = new Float64Array(layout.size);
  const flows = new Flows({ layout, counters, hashSeed: 1, capacity: CAPACITY });
  return {
    accept: (packet, timeMs) => flows.accept(packet, timeMs),
    close: (timeMs) => flows.close(timeMs),
  };
}

function createStage(): Subject {
  const layout = new CellLayout(flowMetrics);
  const gaugeLayout = new CellLayout(flowGauges);
  const stage = new FlowStage({
    layout,
    counters: new Float64Array(layout.size),
    gaugeLayout,
    gauges: new Float64Array(gaugeLayout.size),
    hashSeed: 1,
    flowCapacity: CAPACITY,
    networkNames: ["other", "arp", "ipv4"],
    applicationNames: [],
  });
  return {
    accept(packet, timeMs) {
      stage.lookup(packet, timeMs);
      stage.packet(packet, timeMs);
    },
    close: (timeMs) => stage.close(timeMs),
  };
}
