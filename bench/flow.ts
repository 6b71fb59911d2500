// SPDX-License-Identifier: AGPL-3.0-or-later
import { emptyPacket, type Packet, TcpFlag } from "../src/decode/packet.ts";
import { flowGauges, flowMetrics } from "../src/flow/families.ts";
import { FlowStage } from "../src/flow/stage.ts";
import { CellLayout } from "../src/metrics/cells.ts";
import { V4_MAPPED_WORD2 } from "../src/util/address.ts";
import type { Bench, Row } from "./bench.ts";
import { median } from "./bench.ts";

const PACKETS = 2_000_000;
const ROUNDS = 5;
const CAPACITY = 262_144;
const START_MS = 1.7e12;
/** 100,000 packets a second. */
const STEP_MS = 0.01;
const WINDOW_PACKETS = 100_000;
const WORDS = 4;

interface Load {
  readonly what: string;
  readonly goalNs: number;
  /** Writes packet number `index` of the load into `packet`. */
  readonly fill: (packet: Packet, index: number) => void;
}

/** Time of the flow stage for one packet: lookup, state, events, trackers, distinct counts and window ends. */
export const flowBench: Bench = {
  name: "flow",
  what: "flow table and trackers, nanoseconds a packet (the loop that makes the packets taken off)",
  needsRoot: false,
  async run(say) {
    const rows: Row[] = [];
    for (const load of loads()) {
      const times = Array.from({ length: ROUNDS }, () => measure(load));
      const ns = median(times);
      say(`${load.what}: ${ns.toFixed(0)} ns (${times.map((time) => time.toFixed(0)).join(", ")})`);
      rows.push({
        what: load.what,
        measured: `${ns.toFixed(0)} ns`,
        against: "",
        ratio: null,
        goal: `at most ${load.goalNs} ns`,
        met: ns <= load.goalNs,
      });
    }
    return rows;
  },
};

function loads(): Load[] {
  return [
    { what: "100 flows, equally popular", goalNs: 40, fill: established(100, 1) },
    { what: "50,000 flows, popularity u²", goalNs: 90, fill: established(50_000, 2) },
    { what: "150,000 flows, equally popular", goalNs: 120, fill: established(150_000, 1) },
    { what: "SYN flood from random sources", goalNs: 1000, fill: flood() },
  ];
}

function measure(load: Load): number {
  const stage = createStage();
  const packet = emptyPacket({});
  packet.transportAt = 34;
  packet.ipVersion = 4;
  packet.source2 = V4_MAPPED_WORD2;
  packet.destination2 = V4_MAPPED_WORD2;
  packet.wireLength = 100;
  // The first pass begins the flows and warms the code.
  pass(stage, packet, load, 0);
  const empty = time(() => passWithout(packet, load));
  return (time(() => pass(stage, packet, load, PACKETS)) - empty) / PACKETS;
}

function pass(stage: FlowStage, packet: Packet, load: Load, first: number): void {
  for (let index = first; index < first + PACKETS; index++) {
    load.fill(packet, index);
    const timeMs = START_MS + index * STEP_MS;
    stage.lookup(packet, timeMs);
    stage.packet(packet, timeMs);
    if (index % WINDOW_PACKETS === 0) stage.close(timeMs);
  }
}

function passWithout(packet: Packet, load: Load): void {
  for (let index = 0; index < PACKETS; index++) load.fill(packet, index);
}

function time(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start);
}

/** Packets of both directions of connections met midway. */
function established(flows: number, power: number): Load["fill"] {
  const random = createRandom();
  const mask = 0x3ffff;
  const ends = new Int32Array(flows * WORDS).map(() => random() * 2 ** 32);
  const packets = new Int32Array((mask + 1) * WORDS);
  for (let at = 0; at < packets.length; at += WORDS) {
    const flow = Math.floor(flows * random() ** power) * WORDS;
    const side = random() < 0.5 ? 1 : 0;
    packets[at] = ends[flow + side] as number;
    packets[at + 1] = ends[flow + 1 - side] as number;
    packets[at + 2] = (ends[flow + 2 + side] as number) & 0xffff;
    packets[at + 3] = (ends[flow + 3 - side] as number) & 0xffff;
  }
  return (packet, index) => {
    const at = (index & mask) * WORDS;
    packet.source3 = packets[at] as number;
    packet.destination3 = packets[at + 1] as number;
    packet.sourcePort = packets[at + 2] as number;
    packet.destinationPort = packets[at + 3] as number;
    packet.ipProtocol = 6;
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
    packet.ipProtocol = 6;
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
    networkNames: ["other", "arp", "ipv4"],
    applicationNames: [],
  });
}
