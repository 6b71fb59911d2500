// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { Direction } from "../../src/capture/source.ts";
import { type FilePacket, PcapMagic, packets, pcap } from "./capture-files.ts";
import { readBytes } from "./read-capture.ts";

describe("pcap", () => {
  const written = packets(5);

  it.each([
    ["little-endian", true],
    ["big-endian", false],
  ])("%s: microseconds, nanoseconds and the modified header", async (_, little) => {
    for (const magic of Object.values(PcapMagic)) {
      const { frames, error, format, linkTypes } = await readBytes(
        pcap(written, { little, magic }),
      );
      expect(error).toBeNull();
      expect(format).toBe("pcap");
      expect(linkTypes).toEqual([1]);
      expect(frames.map(({ bytes }) => bytes)).toEqual(written.map(({ bytes }) => bytes));
      expect(frames.map(({ seconds }) => seconds)).toEqual(written.map(({ seconds }) => seconds));
      const exact = magic === PcapMagic.NANOSECONDS;
      const rounded = written.map(
        ({ nanoseconds }) => nanoseconds - (nanoseconds % (exact ? 1 : 1000)),
      );
      expect(frames.map(({ nanoseconds }) => nanoseconds)).toEqual(rounded);
    }
  });

  it("takes the direction from the packet type of the modified header", async () => {
    const directions = [Direction.IN, Direction.IN, Direction.IN, Direction.UNKNOWN, Direction.OUT];
    for (const [packetType, direction] of directions.entries()) {
      const file = pcap(written, { magic: PcapMagic.MODIFIED, packetType });
      expect((await readBytes(file)).frames[0]?.direction).toBe(direction);
    }
    expect((await readBytes(pcap(written))).frames[0]?.direction).toBe(Direction.UNKNOWN);
  });

  it("gives the original length of a cut packet", async () => {
    const cut = written.map((packet) => ({ ...packet, wireLength: 1500 }));
    const { frames } = await readBytes(pcap(cut));
    expect(frames.map(({ wireLength }) => wireLength)).toEqual([1500, 1500, 1500, 1500, 1500]);
    expect(frames.map(({ bytes }) => bytes.length)).toEqual([60, 61, 62, 63, 64]);
  });

  it("reads the swapped lengths of files before version 2.3, and of some in it", async () => {
    const cut = written.map((packet) => ({ ...packet, wireLength: 1500 }));
    for (const minor of [2, 3]) {
      const { frames } = await readBytes(pcap(cut, { minor }));
      expect(frames.map(({ wireLength, bytes }) => [wireLength, bytes.length])[0]).toEqual([
        1500, 60,
      ]);
    }
    const swapped = pcap(
      [{ ...written[0], wireLength: 60, bytes: new Uint8Array(60) } as FilePacket],
      { minor: 3 },
    );
    new DataView(swapped.buffer).setUint32(24 + 8, 1500, true);
    const { frames, error } = await readBytes(swapped);
    expect(error).toBeNull();
    expect(frames[0]).toMatchObject({ wireLength: 1500 });
  });

  it("knows raw IP under its old numbers and leaves the check-sequence bits out", async () => {
    expect((await readBytes(pcap([], { linkType: 12 }))).linkTypes).toEqual([101]);
    expect((await readBytes(pcap([], { linkType: 14 }))).linkTypes).toEqual([101]);
    expect((await readBytes(pcap([], { linkType: 0x54000001 }))).linkTypes).toEqual([1]);
  });

  it.each([
    [1_000_000_000, 11, 0],
    [1_999_999_999, 11, 999_999_999],
    [2_000_000_000, 10, 0],
    [0xffff_ffff, 10, 0],
  ])("carries a second in %i ns over, and takes more for no time", async (nanoseconds, ...time) => {
    const odd = [{ seconds: 10, nanoseconds, bytes: new Uint8Array(1) }];
    const { frames } = await readBytes(pcap(odd, { magic: PcapMagic.NANOSECONDS }));
    expect([frames[0]?.seconds, frames[0]?.nanoseconds]).toEqual(time);
  });

  it("reads a packet as large as the file allows", async () => {
    const large = packets(3, () => 3_000_000);
    const { frames, error } = await readBytes(pcap(large, { snaplen: 4_000_000 }));
    expect(error).toBeNull();
    expect(frames.map(({ bytes }) => bytes.length)).toEqual([3_000_000, 3_000_000, 3_000_000]);
    expect(frames[1]?.bytes.every((byte) => byte === 1)).toBe(true);
  });
});
