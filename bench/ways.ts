// SPDX-License-Identifier: AGPL-3.0-or-later
import { execFileSync } from "node:child_process";
import { seededRandom } from "../scripts/fixtures/bytes.ts";
import { FRAMES_AHEAD } from "../src/capture/look-ahead.ts";
import { PcapFileSource } from "../src/capture/pcap-file.ts";
import { type CaptureSource, Direction, emptyFrame, type Frame } from "../src/capture/source.ts";
import { Pipeline } from "../src/pipeline.ts";
import { createSensorLayouts } from "../src/sensor-metrics.ts";
import { tcpFrame, udpFrame } from "../test/decode/frames.ts";
import { IDLE_SOURCE } from "../test/support/idle-source.ts";
import { type Bench, median, type Row } from "./bench.ts";
import { MIX, writeMix } from "./mix.ts";

const FRAMES = 65_536;
const ROUNDS = 24;
const STREAM_ROUNDS = 5;
const TABLE_ROUNDS = 9;
const STEP_NS = 20_000;
const SOURCE_AT = 26;
const STRIDE = 128;
/** As on the wire: with padding. */
const LENGTH = 60;

/** The short way as sources use it, the same without looking ahead, and the long way. */
const [AHEAD, SHORT, LONG] = [0, 1, 2];
/** What looking ahead may cost where everything is cached, which it is here and not in a capture. */
const AHEAD_MOST = 1.3;
const starts = new Int32Array(FRAMES_AHEAD);

/** What the short way of known flows saves: the same packets, of flows in which nothing happens, both ways. */
export const waysBench: Bench = {
  name: "ways",
  what: "the whole pipeline for packets of known flows, short way against long way",
  needsRoot: false,
  async run(say) {
    const known = [64, 20_000, 100_000].flatMap((flows) => {
      const frames = acknowledgments(flows);
      const [ahead, short, long] = [best(frames, AHEAD), best(frames, SHORT), best(frames, LONG)];
      const what = `${flows.toLocaleString("en")} known flows`;
      say(`${what}: ${ahead.toFixed(0)} ns a packet the short way, ${long.toFixed(0)} ns the long`);
      return [
        row(`short way, ${what}`, ahead, "long way", long),
        row(`looking ahead, ${what}`, ahead, "without", short),
      ];
    });
    return [...known, await streamed(say), tables()];
  },
};

/** What tables in shared memory save where a process makes them all at its start, as src/util/lasting.ts has it. */
function tables(): Row {
  const milliseconds: Record<string, number[]> = { SharedArrayBuffer: [], ArrayBuffer: [] };
  for (let round = 0; round < TABLE_ROUNDS; round++) {
    for (const [memory, all] of Object.entries(milliseconds)) {
      const code = `const tables = [];
        const before = performance.now();
        for (let at = 0; at < 200; at++) tables.push(new Int32Array(new ${memory}(2 ** 19)));
        console.log(performance.now() - before);`;
      all.push(Number(execFileSync(process.execPath, ["-e", code])));
    }
  }
  const [shared = 0, plain = 0] = Object.values(milliseconds).map(median);
  return {
    what: "making tables of 100 MiB, in shared memory",
    measured: `${shared.toFixed(1)} ms`,
    against: `array buffers: ${plain.toFixed(1)} ms`,
    ratio: shared / plain,
    goal: "faster",
    met: shared < plain,
  };
}

/** What looking ahead is for: nothing is cached, because a capture streams through the caches. */
async function streamed(say: (line: string) => void): Promise<Row> {
  writeMix(MIX);
  const nanoseconds: Record<string, number[]> = { ahead: [], without: [] };
  for (let round = 1; round <= STREAM_ROUNDS; round++) {
    nanoseconds.ahead?.push(await replayed(true));
    nanoseconds.without?.push(await replayed(false));
    say(
      `round ${round} of ${STREAM_ROUNDS} over a capture of ${MIX.flows.toLocaleString("en")} flows`,
    );
  }
  const [ahead = 0, without = 0] = Object.values(nanoseconds).map((each) => Math.min(...each));
  return {
    what: `looking ahead, a capture of ${MIX.flows.toLocaleString("en")} flows`,
    measured: `${ahead.toFixed(0)} ns`,
    against: `without: ${without.toFixed(0)} ns`,
    ratio: ahead / without,
    goal: "faster",
    met: ahead < without,
  };
}

/** Nanoseconds a packet of the whole capture, read from its file. */
async function replayed(looksAhead: boolean): Promise<number> {
  const source = new PcapFileSource(MIX.path);
  const pipeline = createPipeline(true, source);
  await source.open();
  const before = process.hrtime.bigint();
  await source.run((frame) => pipeline.frame(frame), looksAhead ? pipeline.lookAhead : undefined);
  const took = Number(process.hrtime.bigint() - before);
  source.close();
  return took / MIX.packets;
}

function createPipeline(shortcuts: boolean, source: CaptureSource = IDLE_SOURCE): Pipeline {
  return new Pipeline({
    ...{ sensor: 0, source, layouts: createSensorLayouts(), shortcuts },
    ...{ home: ["10.0.0.0/8"], hashSeed: 1, flowCapacity: 262_144 },
    ...{ tallyLimit: 512, now: null, emit: () => {} },
  });
}

function row(what: string, own: number, other: string, others: number): Row {
  const ratio = own / others;
  return {
    what,
    measured: `${own.toFixed(0)} ns`,
    against: `${other}: ${others.toFixed(0)} ns`,
    ratio,
    goal: other === "without" ? `at most ${AHEAD_MOST} ×` : "faster",
    met: ratio <= (other === "without" ? AHEAD_MOST : 1),
  };
}

/** Frames of both transports without payload, of so many flows in random order, one after another in one memory. */
function acknowledgments(flows: number): DataView {
  const random = seededRandom(1);
  const memory = new Uint8Array(FRAMES * STRIDE);
  const view = new DataView(memory.buffer);
  const tcp = tcpFrame({ destinationPort: 443 });
  const udp = udpFrame({ destinationPort: 443, payload: new Uint8Array(0) });
  for (let i = 0; i < FRAMES; i++) {
    const flow = random(flows);
    memory.set(flow % 2 === 0 ? tcp : udp, i * STRIDE);
    view.setUint32(i * STRIDE + SOURCE_AT, 0x0a000000 + flow);
  }
  return view;
}

/** Nanoseconds a packet of the best round; the others pay for the compiler and for what else the machine does. */
function best(view: DataView, way: number): number {
  const pipeline = createPipeline(way !== LONG);
  const frame = emptyFrame();
  frame.view = view;
  frame.seconds = 1_700_000_000;
  let shortest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.hrtime.bigint();
    for (let i = 0; i < FRAMES; i++) {
      if (way === AHEAD && i % FRAMES_AHEAD === 0) announce(pipeline, view, i);
      send(pipeline, frame, i * STRIDE);
    }
    shortest = Math.min(shortest, Number(process.hrtime.bigint() - before) / FRAMES);
  }
  return shortest;
}

function announce(pipeline: Pipeline, view: DataView, first: number): void {
  if (!pipeline.lookAhead.isWorthwhile()) return;
  for (let i = 0; i < FRAMES_AHEAD; i++) starts[i] = (first + i) * STRIDE;
  pipeline.lookAhead.announce(view, starts, FRAMES_AHEAD);
}

function send(pipeline: Pipeline, frame: Frame, at: number): void {
  frame.start = at;
  frame.end = at + LENGTH;
  frame.wireLength = LENGTH;
  frame.direction = Direction.IN;
  frame.nanoseconds += STEP_NS;
  if (frame.nanoseconds >= 1e9) {
    frame.nanoseconds -= 1e9;
    frame.seconds++;
  }
  pipeline.frame(frame);
}
