// SPDX-License-Identifier: AGPL-3.0-or-later
// Handshakes with a memory: whole conversations, their frames damaged, left out, repeated and out of order.
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Random, seededRandom } from "../../scripts/fixtures/bytes.ts";
import type { Frame } from "../../src/capture/source.ts";
import { root } from "../support/project.ts";
import { readCapture } from "./captures.ts";
import { FlowDecoding } from "./flow-decoding.ts";
import { frameOf } from "./frames.ts";

const FRAMES = Number(process.env.NAM_FUZZ_FRAMES ?? 2_000_000) / 10;
const SEED = Number(process.env.NAM_FUZZ_SEED ?? 1);
const CAPTURES = ["tls-pieces", "tls-servers", "quic", "dtls", "ssh", "http2", "tcp-session"];
/** Headers of Ethernet, IPv4 and TCP or UDP: damage behind them leaves the packet in its flow. */
const HEADERS = 42;
const PORTS_AT = [34, 36];
const FIRST_CLIENT_PORT = 40_000;

interface Recorded {
  readonly content: Uint8Array;
  readonly seconds: number;
  readonly nanoseconds: number;
}

const conversations: Recorded[][] = [];

beforeAll(async () => {
  for (const name of CAPTURES) {
    const frames: Recorded[] = [];
    await readCapture(join(root, "test/fixtures/pcap", `${name}.pcap`), (frame) => {
      const { view, start, end, seconds, nanoseconds } = frame;
      const content = new Uint8Array(view.buffer, view.byteOffset + start, end - start).slice();
      frames.push({ content, seconds, nanoseconds });
    });
    conversations.push(frames);
  }
});

describe("damaged conversations", () => {
  it(`${FRAMES} frames: nothing throws, nothing is read outside, each has one outcome`, () => {
    const random = seededRandom(SEED);
    const decoding = new FlowDecoding();
    let faults = 0;
    let frames = 0;
    while (frames < FRAMES) {
      for (const frame of damaged(random, pick(random, conversations))) {
        decoding.take(frame);
        if (decoding.packet.fault !== 0) faults++;
        frames++;
      }
      const { packets, errors } = decoding.sums();
      expect(packets, `seed ${SEED}`).toEqual([frames, frames, frames]);
      expect(errors).toBe(faults);
    }
    const hellos = (transport: string) => decoding.value("nam_tls_hellos_total", { transport });
    // Damage is light enough that much is still understood: the decoders were really at work.
    expect(hellos("tcp")).toBeGreaterThan(FRAMES / 100);
    expect(hellos("quic")).toBeGreaterThan(FRAMES / 200);
  });
});

/** The conversation between other ports than before, so that its flows are new ones. */
function damaged(random: Random, conversation: readonly Recorded[]): Frame[] {
  const frames: Frame[] = [];
  const salt = random(0x1000);
  for (const recorded of conversation) {
    if (random(20) === 0) continue;
    const times = random(20) === 0 ? 2 : 1;
    for (let i = 0; i < times; i++) frames.push(frameFrom(random, recorded, salt));
  }
  for (let i = random(6); i > 0; i--) {
    const at = random(frames.length - 1);
    const [a, b] = [frames[at], frames[at + 1]] as [Frame, Frame];
    [frames[at], frames[at + 1]] = [b, a];
  }
  return frames;
}

/** The frame in memory of exactly its size, so that any read outside it throws. */
function frameFrom(random: Random, recorded: Recorded, salt: number): Frame {
  const { seconds, nanoseconds } = recorded;
  const bytes = Uint8Array.from(recorded.content);
  for (const at of PORTS_AT) changePort(new DataView(bytes.buffer), at, salt);
  for (let edits = random(4) === 0 ? 1 + random(3) : 0; edits > 0; edits--) {
    const at = HEADERS + random(Math.max(1, bytes.length - HEADERS));
    bytes[at] = random(3) === 0 ? random(256) : (bytes[at] ?? 0) ^ (1 << random(8));
  }
  const length = random(30) === 0 ? random(bytes.length + 1) : bytes.length;
  const wireLength = random(2) === 0 ? bytes.length : length;
  return frameOf(bytes.subarray(0, length), { wireLength, seconds, nanoseconds });
}

function changePort(view: DataView, at: number, salt: number): void {
  const port = view.getUint16(at);
  if (port >= FIRST_CLIENT_PORT) view.setUint16(at, port ^ salt);
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)] as T;
}
