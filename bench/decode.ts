// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Random, seededRandom } from "../scripts/fixtures/bytes.ts";
import { Direction, emptyFrame, type Frame } from "../src/capture/source.ts";
import { Decoder } from "../src/decode/decoder.ts";
import { applicationNames, decodeMetrics } from "../src/decode/families.ts";
import { CellLayout } from "../src/metrics/cells.ts";
import {
  type Bytes,
  bytes,
  dnsMessage,
  frameOf,
  hex,
  tcpFrame,
  udpFrame,
} from "../test/decode/frames.ts";
import { samples } from "../test/decode/samples.ts";
import type { Bench, Row } from "./bench.ts";

const PACKETS = 2_000;
/** The best round counts: the one that nothing else on the machine disturbed. */
const ROUNDS = 300;
const PROTOCOL_ROUNDS = 60;
/** Slow protocols, such as those that decrypt, have fewer rounds. */
const MOST_MS = 1_000;
const HOME = ["192.168.0.0/16", "10.0.0.0/8", "fd00::/8"];
/** Where the IPv4 addresses are behind an Ethernet header. */
const ADDRESSES_AT = 26;
const PROTOCOL_AT = 23;
const SEQUENCE_AT = 38;
const UDP_PAYLOAD_AT = 42;
const TCP_PAYLOAD_AT = 54;
const MIX_PORTS = [443, 80, 53, 22, 8080, 123];
const MIX_UDP_PORTS = [53, 123];
const MIX_PAYLOADS = [0, 0, 0, 32, 120, 600, 1400];

/** Answers in the DNS message that hostile ones are compared with. */
const DNS_RECORDS = 30;

/** What of a packet's way is walked; each stage includes the ones before it. */
const STAGES = ["headers", "headers and application", "all three"] as const;

/** Frames one after another in one memory, as in a ring; frame `i` is `[bounds[i], bounds[i + 1])`. */
interface Frames {
  readonly view: DataView;
  readonly linkType: number;
  readonly bounds: readonly number[];
  /** True where each frame is of another flow, false where they are all of one. */
  readonly apart: boolean;
}

/** Time of decoding alone, on frames that stay in the processor's cache. */
export const decodeBench: Bench = {
  name: "decode",
  what: "nanoseconds a packet in each stage of decoding, and for each protocol",
  needsRoot: false,
  async run(say) {
    const decoder = await createDecoder();
    const rows = stageRows(decoder, applicationNames.indexOf("tls"), say);
    sayProtocols(decoder, say);
    return [...rows, ...hostileDnsRows(decoder, emptyFrame(), say)];
  },
};

/** What is done with the payload of each protocol's samples; all of it with direction by address. */
const CASES = ["headers only", "flow new", "flow known", "hostile"] as const;

/** A row for each sample: what its headers cost, and what its payload adds in each case. */
function sayProtocols(decoder: Decoder, say: (line: string) => void): void {
  const columns = CASES.map((what) => what.padStart(14)).join("");
  say(`nanoseconds a packet by protocol; the payload's part behind the headers':${columns}`);
  const frame = emptyFrame();
  const random = seededRandom(1);
  for (const sample of samples) {
    const { protocol, content, linkType = 1 } = sample;
    const verdict = Math.max(0, applicationNames.indexOf(protocol));
    const good = repeated(content, linkType);
    const headers = measure(decoder, frame, good, 1, 0, PROTOCOL_ROUNDS);
    const times = [headers];
    if (verdict > 0) {
      const bad = repeated(damaged(content, random), linkType);
      for (const [frames, kept] of [
        [good, 0],
        [good, verdict],
        [bad, 0],
      ] as const) {
        times.push(measure(decoder, frame, frames, 2, kept, PROTOCOL_ROUNDS) - headers);
      }
    }
    say(`  ${protocol.padEnd(16)}${times.map((time) => time.toFixed(0).padStart(14)).join("")}`);
  }
}

/** The same frame with a payload that begins as before and is random from its fifth byte on. */
function damaged(content: Bytes, random: Random): Bytes {
  const copy = Uint8Array.from(content);
  const isTcp = content[PROTOCOL_AT] === 6;
  const from = (isTcp ? TCP_PAYLOAD_AT : UDP_PAYLOAD_AT) + 4;
  for (let at = from; at < copy.length; at++) copy[at] = random(256);
  return copy;
}

/** DNS that lies about its counts, against a good answer of the same length. */
function hostileDnsRows(decoder: Decoder, frame: Frame, say: (line: string) => void): Row[] {
  const record = bytes(hex("c00c 0001 0001 0000003c 0004 c0000201"));
  const tail = bytes(...Array.from({ length: DNS_RECORDS }, () => record));
  const time = (payload: Bytes): number => {
    const content = udpFrame({ sourcePort: 53, payload });
    return measure(decoder, frame, repeated(content), STAGES.length, 0);
  };
  const response = { flags: 0x8180, tail } as const;
  const good = time(dnsMessage({ ...response, answers: DNS_RECORDS }));
  const loop = bytes(dnsMessage({ flags: 0x8180 }).subarray(0, 12), hex("c00c 0001 0001"), tail);
  const hostile = {
    "65,535 answers": time(dnsMessage({ ...response, answers: 65_535 })),
    "65,535 questions": time(dnsMessage({ ...response, questions: 65_535 })),
    "a name that points to itself": time(loop),
  };
  return Object.entries(hostile).map(([what, nanoseconds]) => {
    say(`DNS, ${what}: ${nanoseconds.toFixed(0)} ns; a good answer: ${good.toFixed(0)} ns`);
    return {
      what: `decoding, DNS with ${what}`,
      measured: `${nanoseconds.toFixed(0)} ns`,
      against: `${good.toFixed(0)} ns for a good answer as long`,
      ratio: nanoseconds / good,
      goal: "at most 3",
      met: nanoseconds / good <= 3,
    };
  });
}

/** One decoder for everything, as in a sensor: the JIT compiles for what it has seen. */
async function createDecoder(): Promise<Decoder> {
  const layout = new CellLayout(decodeMetrics);
  const tally = new Map<string, number>();
  return new Decoder({
    layout,
    counters: new Float64Array(layout.size),
    tally: () => (value) => tally.set(value, (tally.get(value) ?? 0) + 1),
    home: HOME,
  });
}

function stageRows(decoder: Decoder, verdict: number, say: (line: string) => void): Row[] {
  // One frame too, reused as sources reuse it.
  const frame = emptyFrame();
  const row = (what: string, frames: Frames, direction: number, kept: number): Row => {
    frame.direction = direction;
    const times = STAGES.map((_, i) => measure(decoder, frame, frames, i + 1, kept));
    say(`${what}: ${STAGES.map((stage, i) => `${stage} ${times[i]?.toFixed(1)}`).join(", ")} ns`);
    const all = times.at(-1) ?? Number.NaN;
    const measured = `${all.toFixed(0)} ns`;
    return { what: `decoding, ${what}`, measured, against: "", ratio: null, goal: "", met: true };
  };
  const payload = new Uint8Array(32).fill(0x41);
  const median = repeated(tcpFrame({ destinationPort: 443, payload }));
  return [
    row("TCP with 32 bytes, direction and flow known", median, Direction.OUT, verdict),
    row("the same, direction by address", median, Direction.UNKNOWN, verdict),
    row("the same, flow not decided", median, Direction.UNKNOWN, 0),
    row("mix of TCP and UDP, nothing known", mix(), Direction.UNKNOWN, 0),
  ];
}

/** Nanoseconds a frame. */
function measure(
  decoder: Decoder,
  frame: Frame,
  frames: Frames,
  stages: number,
  verdict: number,
  rounds = ROUNDS,
): number {
  const { bounds, apart } = frames;
  frame.view = frames.view;
  frame.linkType = frames.linkType;
  let best = Number.POSITIVE_INFINITY;
  const started = performance.now();
  for (let round = 0; round < rounds && performance.now() - started < MOST_MS; round++) {
    // What is rationed by the second is to be measured, not its being skipped.
    frame.seconds++;
    const before = process.hrtime.bigint();
    for (let i = 0; i < PACKETS; i++) {
      frame.start = bounds[i] as number;
      frame.end = bounds[i + 1] as number;
      frame.wireLength = frame.end - frame.start;
      decoder.headers(frame);
      decoder.packet.flow = apart ? i : 0;
      decoder.packet.flowPackets = apart ? round + 1 : i + 1;
      if (stages > 1) decoder.application(verdict);
      if (stages > 2) decoder.count();
    }
    best = Math.min(best, Number(process.hrtime.bigint() - before) / PACKETS);
  }
  return best;
}

/** The same frame again and again; TCP segments follow one another, or they would be repetitions. */
function repeated(content: Bytes, linkType = 1): Frames {
  const isTcp = linkType === 1 && content[PROTOCOL_AT] === 6;
  return framesOf(
    Array.from({ length: PACKETS }, (_, i) => {
      if (!isTcp || content.length < TCP_PAYLOAD_AT) return content;
      const copy = Buffer.from(content);
      copy.writeUInt32BE((i * (content.length - TCP_PAYLOAD_AT)) >>> 0, SEQUENCE_AT);
      return copy;
    }),
    linkType,
  );
}

/** The proportions of the capture that replay is timed on. */
function mix(): Frames {
  const random = seededRandom(1);
  const contents = Array.from({ length: PACKETS }, () => {
    const port = MIX_PORTS[random(MIX_PORTS.length)] ?? 0;
    const other = 1024 + random(64_000);
    const ports =
      random(2) === 0
        ? { sourcePort: other, destinationPort: port }
        : { sourcePort: port, destinationPort: other };
    const payload = new Uint8Array(MIX_PAYLOADS[random(MIX_PAYLOADS.length)] ?? 0).fill(0x41);
    const content = MIX_UDP_PORTS.includes(port)
      ? udpFrame({ ...ports, payload })
      : tcpFrame({ ...ports, payload });
    for (let at = ADDRESSES_AT; at < ADDRESSES_AT + 8; at++) content[at] = random(256);
    return content;
  });
  return framesOf(contents, 1, true);
}

function framesOf(contents: readonly Bytes[], linkType: number, apart = false): Frames {
  const bounds = [0];
  for (const content of contents) bounds.push((bounds.at(-1) ?? 0) + content.length);
  return { view: frameOf(Buffer.concat(contents)).view, linkType, bounds, apart };
}
