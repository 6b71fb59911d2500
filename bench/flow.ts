// SPDX-License-Identifier: AGPL-3.0-or-later
import { applicationNames, networkNames } from "../src/decode/families.ts";
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
/** Ethernet, IPv4 and TCP headers, of which only the flags are looked at. */
const HEADERS_LENGTH = 54;
const FLAGS_AT = 47;

interface Load {
  readonly what: string;
  /** Goals of lookup with update, and of the whole stage. */
  readonly goalsNs: readonly [number, number];
  readonly packets: Int32Array;
  readonly flags: number;
  /** True where no source may come twice. */
  readonly isRandom: boolean;
}

/** Cost of the flow stage for one packet: lookup, state, events, trackers, distinct counts and window ends. */
export const flowBench: Bench = {
  name: "flow",
  what: "flow table and trackers, nanoseconds a packet",
  needsRoot: false,
  async run(say) {
    const rows: Row[] = [];
    for (const load of loads()) {
      const empty = best(load, skipRound);
      const whole = best(load, stageRound(createStage())) - empty;
      const lookup = best(load, lookupRound(createFlows())) - empty;
      rows.push(row(`lookup and update, ${load.what}`, lookup, load.goalsNs[0]));
      rows.push(row(`whole flow stage, ${load.what}`, whole, load.goalsNs[1]));
      say(`${load.what}: lookup ${lookup.toFixed(0)} ns, whole stage ${whole.toFixed(0)} ns`);
    }
    return rows;
  },
};

function loads(): Load[] {
  const connections = { flags: TcpFlag.ACK, isRandom: false };
  return [
    {
      what: "100 equally popular flows",
      ...{ goalsNs: [40, 60], packets: packetsOf(100, 1), ...connections },
    },
    {
      what: "50,000 flows, popularity u²",
      ...{ goalsNs: [100, 130], packets: packetsOf(50_000, 2), ...connections },
    },
    {
      what: "150,000 equally popular flows",
      ...{ goalsNs: [160, 200], packets: packetsOf(150_000, 1), ...connections },
    },
    {
      what: "SYN flood from random sources",
      ...{ goalsNs: [500, 1000], packets: floodPackets() },
      ...{ flags: TcpFlag.SYN, isRandom: true },
    },
  ];
}

function row(what: string, nanoseconds: number, goalNs: number): Row {
  const [measured, goal] = [`${nanoseconds.toFixed(0)} ns`, `at most ${goalNs} ns`];
  return { what, measured, against: "", ratio: null, goal, met: nanoseconds <= goalNs };
}

type Round = (packet: Packet, load: Load, first: number) => void;

/** Nanoseconds a packet of the best round, once every prepared packet was seen. */
function best(load: Load, round: Round): number {
  const view = new DataView(new ArrayBuffer(HEADERS_LENGTH));
  view.setUint8(FLAGS_AT, load.flags);
  const packet = Object.assign(emptyPacket({}), {
    view,
    ...{ transportAt: 34, ipVersion: 4, ipProtocol: 6, wireLength: 100, tcpFlags: load.flags },
    ...{ source2: V4_MAPPED_WORD2, destination2: V4_MAPPED_WORD2 },
  });
  let shortest = Number.POSITIVE_INFINITY;
  for (let first = 0; first < ROUNDS * ROUND; first += ROUND) {
    const start = process.hrtime.bigint();
    round(packet, load, first);
    const took = Number(process.hrtime.bigint() - start) / ROUND;
    if (first > PREPARED) shortest = Math.min(shortest, took);
  }
  return shortest;
}

function fill(packet: Packet, load: Load, index: number): void {
  const { packets } = load;
  const at = (index & (PREPARED - 1)) * WORDS;
  packet.source3 = (packets[at] as number) ^ (load.isRandom ? Math.imul(index, 0x9e3779b1) : 0);
  packet.destination3 = packets[at + 1] as number;
  packet.sourcePort = packets[at + 2] as number;
  packet.destinationPort = packets[at + 3] as number;
}

function skipRound(packet: Packet, load: Load, first: number): void {
  for (let index = first; index < first + ROUND; index++) fill(packet, load, index);
}

function lookupRound(flows: Flows): Round {
  return (packet, load, first) => {
    for (let index = first; index < first + ROUND; index++) {
      fill(packet, load, index);
      flows.accept(packet, START_MS + index * STEP_MS);
    }
    flows.close(START_MS + (first + ROUND) * STEP_MS);
  };
}

function stageRound(stage: FlowStage): Round {
  return (packet, load, first) => {
    for (let index = first; index < first + ROUND; index++) {
      fill(packet, load, index);
      const timeMs = START_MS + index * STEP_MS;
      stage.lookup(packet, timeMs);
      stage.packet(packet, timeMs);
    }
    stage.close(START_MS + (first + ROUND) * STEP_MS);
  };
}

/** Packets of both directions of `flows` connections, in random order; a flow's popularity falls with `power`. */
function packetsOf(flows: number, power: number): Int32Array {
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
  return packets;
}

/** Packets to one service; their sources are changed each time they are used. */
function floodPackets(): Int32Array {
  const random = createRandom();
  const packets = new Int32Array(PREPARED * WORDS);
  for (let at = 0; at < packets.length; at += WORDS) {
    packets.set([random() * 2 ** 32, 0x0a000001, random() * 65_536, 80], at);
  }
  return packets;
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

function createFlows(): Flows {
  const layout = new CellLayout(flowMetrics);
  const counters = new Float64Array(layout.size);
  return new Flows({ layout, counters, hashSeed: 1, capacity: CAPACITY });
}

function createStage(): FlowStage {
  const layout = new CellLayout(flowMetrics);
  const gaugeLayout = new CellLayout(flowGauges);
  return new FlowStage({
    layout,
    counters: new Float64Array(layout.size),
    gaugeLayout,
    gauges: new Float64Array(gaugeLayout.size),
    hashSeed: 1,
    flowCapacity: CAPACITY,
    networkNames,
    applicationNames,
  });
}
