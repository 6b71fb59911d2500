// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Random, seededRandom } from "../scripts/fixtures/bytes.ts";
import { Direction, emptyFrame } from "../src/capture/source.ts";
import { protocols } from "../src/decode/all.ts";
import type { Decoder } from "../src/decode/decoder.ts";
import { applicationNames } from "../src/decode/families.ts";
import { type Bytes, tcpFrame, udpFrame } from "../test/decode/frames.ts";
import { samples } from "../test/decode/samples.ts";
import type { Bench, Row } from "./bench.ts";
import {
  createDecoder,
  type Frames,
  framesOf,
  isOverTcp,
  measure,
  PACKETS,
  repeated,
  STAGES,
  TCP_PAYLOAD_AT,
  UDP_PAYLOAD_AT,
} from "./decode-load.ts";
import { hostileRows } from "./hostile.ts";

const PROTOCOL_ROUNDS = 60;
/** Where the IPv4 addresses are behind an Ethernet header. */
const ADDRESSES_AT = 26;
const MIX_PORTS = [443, 80, 53, 22, 8080, 123];
const MIX_UDP_PORTS = [53, 123];
const MIX_PAYLOADS = [0, 0, 0, 32, 120, 600, 1400];

/** Time of decoding alone, on frames that stay in the processor's cache. */
export const decodeBench: Bench = {
  name: "decode",
  what: "nanoseconds a packet in each stage of decoding, and for each protocol",
  needsRoot: false,
  async run(say) {
    const decoder = createDecoder();
    const rows = stageRows(decoder, applicationNames.indexOf("tls"), say);
    return [...rows, protocolRow(decoder, say), ...(await hostileRows(decoder, say))];
  },
};

/** What is done with the payload of each protocol's samples; all of it with direction by address. */
const CASES = ["headers", "flow new", "flow known", "damaged", "damaged/new"] as const;

/** Says a line for each sample: what its headers cost, and the whole of it in each case; the row is about the worst. */
function protocolRow(decoder: Decoder, say: (line: string) => void): Row {
  say(`nanoseconds a packet by protocol:${CASES.map((what) => what.padStart(13)).join("")}`);
  const sampled = new Set(samples.map(({ protocol }) => protocol));
  const missing = protocols.map(({ name }) => name).filter((name) => !sampled.has(name));
  if (missing.length > 0) throw new Error(`no sample of ${missing}`);
  const frame = emptyFrame();
  const random = seededRandom(1);
  let worst = { protocol: "", good: 1, bad: 0 };
  for (const { protocol, content, linkType = 1 } of samples) {
    const verdict = Math.max(0, applicationNames.indexOf(protocol));
    const good = repeated(content, linkType);
    const time = (frames: Frames, stages: number, kept: number): number =>
      measure(decoder, frame, frames, stages, kept, PROTOCOL_ROUNDS);
    const times = [time(good, 1, 0)];
    let ratio = "";
    if (verdict > 0) {
      const [fresh, known] = [time(good, 2, 0), time(good, 2, verdict)];
      const bad = time(repeated(damaged(content, random), linkType), 2, 0);
      times.push(fresh, known, bad);
      ratio = (bad / fresh).toFixed(2);
      if (bad / fresh > worst.bad / worst.good) worst = { protocol, good: fresh, bad };
    }
    const cells = [...times.map((one) => one.toFixed(0)), ratio].map((cell) => cell.padStart(13));
    say(`  ${protocol.padEnd(31)}${cells.join("")}`);
  }
  const ratio = worst.bad / worst.good;
  return {
    what: `decoding, a payload damaged at random, worst of all protocols (${worst.protocol})`,
    measured: `${worst.bad.toFixed(0)} ns`,
    against: `${worst.good.toFixed(0)} ns for the good one`,
    ratio,
    goal: "at most 3",
    met: ratio <= 3,
  };
}

/** The same frame with a payload that begins as before and is random from its fifth byte on. */
function damaged(content: Bytes, random: Random): Bytes {
  const copy = Uint8Array.from(content);
  const from = (isOverTcp(content) ? TCP_PAYLOAD_AT : UDP_PAYLOAD_AT) + 4;
  for (let at = from; at < copy.length; at++) copy[at] = random(256);
  return copy;
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
