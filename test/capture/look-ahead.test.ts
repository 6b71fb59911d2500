// SPDX-License-Identifier: AGPL-3.0-or-later
// Capture files tell where frames begin before they deliver them: what they tell, and that it is true.
import { describe, expect, it } from "vitest";
import { FRAMES_AHEAD } from "../../src/capture/look-ahead.ts";
import { PcapFileSource } from "../../src/capture/pcap-file.ts";
import type { FrameSink, LookAhead } from "../../src/capture/source.ts";
import { PcapMagic, Pcapng, packets, pcap } from "./capture-files.ts";
import { temporaryFiles } from "./temporary-files.ts";

const { saved } = temporaryFiles();
const PACKETS = 3000;

/** Holds each delivered frame against what was announced before it. */
class Announced {
  readonly #next: number[] = [];
  #view: DataView | null = null;
  frames = 0;
  announced = 0;
  asked = 0;
  isWorthwhile = true;
  readonly groups: number[] = [];

  readonly lookAhead: LookAhead = {
    isWorthwhile: () => {
      this.asked++;
      return this.isWorthwhile;
    },
    announce: (view, starts, count) => {
      expect(this.#next, "frames announced and not delivered").toEqual([]);
      this.#view = view;
      this.#next.push(...starts.subarray(0, count));
      this.groups.push(count);
    },
  };

  readonly sink: FrameSink = ({ view, start }) => {
    this.frames++;
    const expected = this.#next.shift();
    if (expected === undefined) return;
    this.announced++;
    expect(start).toBe(expected);
    expect(view).toBe(this.#view);
  };
}

async function read(bytes: Uint8Array, seen: Announced, stopAfter = PACKETS): Promise<void> {
  const source = new PcapFileSource(saved("ahead.pcap", bytes));
  await source.open();
  await source.run((frame) => {
    seen.sink(frame);
    if (seen.frames === stopAfter) source.stop();
  }, seen.lookAhead);
  source.close();
}

function pcapng(): Uint8Array {
  const file = new Pcapng().section(true).interface(1);
  for (const { bytes } of packets(PACKETS)) file.enhanced(0, 7n, bytes);
  return file.done();
}

describe("what is told of frames to come", () => {
  it.each([
    ["pcap", pcap(packets(PACKETS))],
    ["pcap of the other byte order", pcap(packets(PACKETS), { little: false })],
    ["pcap with longer record headers", pcap(packets(PACKETS), { magic: PcapMagic.MODIFIED })],
    ["pcapng", pcapng()],
  ])("is where they begin: %s", async (_, bytes) => {
    const seen = new Announced();
    await read(bytes, seen);
    expect(seen.frames).toBe(PACKETS);
    // The last of a piece of the file may come alone.
    expect(seen.announced).toBeGreaterThan(PACKETS - 10);
    expect(Math.max(...seen.groups)).toBe(FRAMES_AHEAD);
  });

  it("ends with what is whole where a record claims too much", async () => {
    const bytes = pcap(packets(10));
    const at = pcap(packets(5)).length;
    new DataView(bytes.buffer).setUint32(at + 8, 0xffffffff, true);
    const seen = new Announced();
    await expect(read(bytes, seen)).rejects.toThrow(`damaged at byte ${at}`);
    expect([seen.frames, seen.announced]).toEqual([5, 5]);
  });

  it("is nothing while nothing would be gained, which is asked every 64 frames", async () => {
    const seen = new Announced();
    seen.isWorthwhile = false;
    await read(pcap(packets(PACKETS)), seen);
    expect([seen.frames, seen.announced]).toEqual([PACKETS, 0]);
    expect(seen.asked).toBeGreaterThanOrEqual(Math.floor(PACKETS / FRAMES_AHEAD));
    expect(seen.asked).toBeLessThan((2 * PACKETS) / FRAMES_AHEAD);
  });

  it("does not hold up a source that is stopped", async () => {
    const seen = new Announced();
    await read(pcap(packets(PACKETS)), seen, 7);
    expect(seen.frames).toBe(7);
  });
});
