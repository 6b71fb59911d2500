// SPDX-License-Identifier: AGPL-3.0-or-later
// What every capture source promises, run over all of them: the live ones between two network namespaces, the file
// reader over a file that holds the same frames.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PcapFileSource } from "../../src/capture/pcap-file.ts";
import { Direction } from "../../src/capture/source.ts";
import { canMakeNamespaces } from "../support/namespaces.ts";
import { hasCap } from "./available.ts";
import { Pcapng, pcap } from "./capture-files.ts";
import { CaptureLab } from "./capture-lab.ts";
import { type TestFrame, testFrames } from "./frames.ts";
import { type CopiedFrame, Recorder, type Recording } from "./recorder.ts";
import { temporaryFiles } from "./temporary-files.ts";

const AMPLE_SNAPLEN = 16_384;
const MANY = 200_000;

interface Delivery {
  readonly frames: readonly TestFrame[];
  readonly snaplen: number;
  /** Null: all of them, then the source is stopped from outside or ends. */
  readonly stopAfter: number | null;
}

/** One source as the suite sees it. */
interface Subject {
  readonly name: string;
  readonly knowsDirection: boolean;
  /** Has the source deliver the frames. */
  deliver(delivery: Delivery): Promise<Recording>;
  /** Has the source deliver many of the frame, and stops it from outside while it does. */
  interrupt(frame: Uint8Array): Promise<Recording>;
}

const namespaces = canMakeNamespaces();
const { saved } = temporaryFiles();
let lab: CaptureLab;

beforeAll(async () => {
  if (namespaces) lab = await CaptureLab.create();
});
afterAll(async () => {
  if (namespaces) await lab.lab.close();
});

function live(source: "afpacket" | "cap"): Subject {
  return {
    name: source,
    knowsDirection: source === "afpacket",
    async deliver({ frames, snaplen, stopAfter }) {
      const capture = await lab.capture({ settings: { source, snaplen }, stopAfter });
      for (const run of runs(frames)) {
        const bytes = run.map((frame) => frame.bytes);
        await lab.send(bytes, { namespace: run[0]?.outgoing ? lab.lab.b : lab.lab.a });
      }
      return stopAfter === null ? capture.take(frames.length) : capture.ended();
    },
    async interrupt(frame) {
      const capture = await lab.capture({ settings: { source }, keepFrames: false });
      const sending = lab.send([frame], { rounds: MANY });
      const recording = await capture.take(1);
      await sending;
      return recording;
    },
  };
}

/** Stretches of frames that are sent from one side. */
function runs(frames: readonly TestFrame[]): readonly TestFrame[][] {
  const all: TestFrame[][] = [];
  for (const frame of frames) {
    const last = all.at(-1);
    if (last?.[0]?.outgoing === frame.outgoing) last.push(frame);
    else all.push([frame]);
  }
  return all;
}

const file: Subject = {
  name: "pcap-file",
  knowsDirection: true,
  async deliver({ frames, snaplen, stopAfter }) {
    const source = new PcapFileSource(saved("frames.pcapng", fileOf(frames, snaplen)));
    await source.open();
    const recorder = new Recorder(source, { keepFrames: true, stopAfter });
    await recorder.run();
    return recorder.recording();
  },
  async interrupt(frame) {
    const empty = pcap([]);
    const record = pcap([{ seconds: 1, nanoseconds: 0, bytes: frame }]).subarray(empty.length);
    const whole = Buffer.concat([empty, ...Array.from({ length: MANY }, () => record)]);
    const source = new PcapFileSource(saved("many.pcap", whole));
    await source.open();
    const recorder = new Recorder(source, { keepFrames: false, stopAfter: null });
    const running = recorder.run();
    while (recorder.snapshot().delivered === 0) await new Promise((next) => setImmediate(next));
    recorder.stop();
    await running;
    return recorder.recording();
  },
};

function fileOf(frames: readonly TestFrame[], snaplen: number): Uint8Array {
  const pcapng = new Pcapng().section(true).interface(1, { snaplen, resolution: 9 });
  for (const { bytes, outgoing, to } of frames) {
    const time = BigInt(Date.now()) * 1_000_000n;
    const inbound = to === "else" ? 0 : 1;
    pcapng.enhanced(0, time, bytes.subarray(0, snaplen), {
      wireLength: bytes.length,
      flags: outgoing ? 2 : inbound,
    });
  }
  return pcapng.done();
}

/** The frame as it was on the wire: a tag that the kernel took out is put back. */
function onWire({ bytes, vlanTci, vlanTpid }: CopiedFrame): Uint8Array {
  if (vlanTci < 0) return bytes;
  const tag = [vlanTpid >> 8, vlanTpid & 255, vlanTci >> 8, vlanTci & 255];
  return Uint8Array.from([...bytes.subarray(0, 12), ...tag, ...bytes.subarray(12)]);
}

function directionOf(frame: TestFrame): number {
  if (frame.outgoing) return Direction.OUT;
  return frame.to === "else" ? Direction.UNKNOWN : Direction.IN;
}

const subjects = [file];
if (namespaces) subjects.unshift(live("afpacket"));
if (namespaces && (await hasCap())) subjects.unshift(live("cap"));

describe.each(subjects)("$name", (subject) => {
  const frames = async (): Promise<readonly TestFrame[]> =>
    testFrames(namespaces ? await lab.mac() : Uint8Array.of(2, 0, 0, 0, 0, 1));

  it("delivers every frame once, in order and whole", async () => {
    const sent = await frames();
    const before = Date.now();
    const {
      frames: got,
      snapshot,
      late,
    } = await subject.deliver({
      frames: sent,
      snaplen: AMPLE_SNAPLEN,
      stopAfter: null,
    });
    const after = Date.now();
    expect(got.length).toBe(sent.length);
    for (const [index, frame] of got.entries()) {
      const { what, bytes, ...rest } = sent[index] as TestFrame;
      expect(Buffer.from(onWire(frame)).toString("hex"), what).toBe(
        Buffer.from(bytes).toString("hex"),
      );
      expect(frame.wireLength, what).toBe(bytes.length);
      expect(frame.linkType, what).toBe(1);
      const direction = directionOf({ what, bytes, ...rest });
      expect(frame.direction, what).toBe(subject.knowsDirection ? direction : Direction.UNKNOWN);
    }
    const times = got.map(({ seconds, nanoseconds }) => seconds * 1000 + nanoseconds / 1e6);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(times[0]).toBeGreaterThanOrEqual(before);
    expect(times.at(-1)).toBeLessThanOrEqual(after + 1);
    const { received, droppedKernel, droppedRing } = snapshot.stats;
    expect([received, droppedKernel, droppedRing]).toEqual([sent.length, 0, 0]);
    const bytes = sent.reduce((sum, frame) => sum + frame.bytes.length, 0);
    expect(snapshot.deliveredBytes).toBe(bytes);
    expect(late).toBe(0);
  });

  it("keeps of each frame what the snap length allows, and its whole length", async () => {
    const sent = await frames();
    const { frames: got } = await subject.deliver({ frames: sent, snaplen: 80, stopAfter: null });
    expect(got.length).toBe(sent.length);
    for (const [index, frame] of got.entries()) {
      const { what, bytes } = sent[index] as TestFrame;
      const restored = onWire(frame);
      const kept = Math.min(bytes.length, frame.vlanTci < 0 ? 80 : 84);
      expect(restored.length, what).toBe(kept);
      expect(Buffer.from(restored).equals(bytes.subarray(0, kept)), what).toBe(true);
      expect(frame.wireLength, what).toBe(bytes.length);
    }
  });

  it("delivers nothing more once the sink has stopped it", async () => {
    const {
      frames: got,
      snapshot,
      late,
    } = await subject.deliver({
      frames: await frames(),
      snaplen: AMPLE_SNAPLEN,
      stopAfter: 7,
    });
    expect(got.length).toBe(7);
    expect(snapshot.delivered).toBe(7);
    expect(late).toBe(0);
  });

  it("delivers nothing more once it has been stopped from outside", async () => {
    const { snapshot, late } = await subject.interrupt(new Uint8Array(100).fill(0xff));
    expect(snapshot.delivered).toBeGreaterThan(0);
    expect(snapshot.deliveredBytes).toBe(100 * snapshot.delivered);
    expect(late).toBe(0);
  });
});
