// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { Direction } from "../../src/capture/source.ts";
import { Pcapng } from "./capture-files.ts";
import { readBytes } from "./read-capture.ts";

describe("pcapng", () => {
  const bytes = Uint8Array.from({ length: 61 }, (_, index) => index);

  it.each([
    ["little-endian", true],
    ["big-endian", false],
  ])("%s: enhanced, simple and obsolete packet blocks", async (_, little) => {
    const file = new Pcapng()
      .section(little, { options: [[1, new TextEncoder().encode("made by a test")]] })
      .interface(1, { snaplen: 50 })
      .enhanced(0, 1_700_000_000_123_456n, bytes, { wireLength: 90, flags: 1 })
      .simple(bytes.subarray(0, 50), 61)
      .obsolete(0, 1_700_000_001_000_001n, bytes, { flags: 2 })
      .simple(bytes.subarray(0, 7));
    const { frames, error, format } = await readBytes(file.done());
    expect(error).toBeNull();
    expect(format).toBe("pcapng");
    const common = { linkType: 1, vlanTci: -1, vlanTpid: -1 };
    const first = { seconds: 1_700_000_000, nanoseconds: 123_456_000, ...common };
    const third = { seconds: 1_700_000_001, nanoseconds: 1000, ...common };
    expect(frames).toEqual([
      { bytes, wireLength: 90, direction: Direction.IN, ...first },
      { bytes: bytes.subarray(0, 50), wireLength: 61, direction: Direction.UNKNOWN, ...first },
      { bytes, wireLength: 61, direction: Direction.OUT, ...third },
      { bytes: bytes.subarray(0, 7), wireLength: 7, direction: Direction.UNKNOWN, ...third },
    ]);
  });

  it("gives each interface its own link type and clock", async () => {
    const file = new Pcapng()
      .section(true)
      .interface(1)
      .interface(101, { resolution: 9 })
      .interface(276, { resolution: 0x80 | 20 })
      .interface(1, { resolution: 3, offsetSeconds: -3600n })
      .interface(1, { resolution: 12 })
      .interface(1, { resolution: 0 })
      .enhanced(0, 1_700_000_000_123_456n, bytes)
      .enhanced(1, 1_700_000_000_123_456_789n, bytes)
      .enhanced(2, (1_700_000_000n << 20n) + (1n << 19n), bytes)
      .enhanced(3, 1_700_000_000_250n, bytes)
      .enhanced(4, 1_700_000_000_123_456_789_012n & 0xffff_ffff_ffff_ffffn, bytes)
      .enhanced(5, 1_700_000_000n, bytes);
    const { frames, linkTypes } = await readBytes(file.done());
    const picoseconds = 1_700_000_000_123_456_789_012n & 0xffff_ffff_ffff_ffffn;
    expect(frames.map(({ linkType }) => linkType)).toEqual([1, 101, 276, 1, 1, 1]);
    expect(frames.map(({ seconds, nanoseconds }) => [seconds, nanoseconds])).toEqual([
      [1_700_000_000, 123_456_000],
      [1_700_000_000, 123_456_789],
      [1_700_000_000, 500_000_000],
      [1_699_996_400, 250_000_000],
      [Number(picoseconds / 10n ** 12n), Number((picoseconds % 10n ** 12n) / 1000n)],
      [1_700_000_000, 0],
    ]);
    expect(linkTypes).toEqual([1, 101, 276]);
  });

  it("keeps nanoseconds exact while the upper word of the time stamp changes", async () => {
    const file = new Pcapng().section(true).interface(1, { resolution: 9 });
    const times = Array.from({ length: 200 }, (_, index) => {
      return 1_700_000_000_999_999_990n + BigInt(index) * 99_999_999_989n;
    });
    for (const time of times) file.enhanced(0, time, bytes);
    const { frames } = await readBytes(file.done());
    const read = frames.map(
      ({ seconds, nanoseconds }) => BigInt(seconds) * 10n ** 9n + BigInt(nanoseconds),
    );
    expect(read).toEqual(times);
  });

  it("starts anew with every section, whatever its byte order", async () => {
    const file = new Pcapng()
      .section(true)
      .interface(1)
      .enhanced(0, 1n, bytes)
      .section(false)
      .interface(113)
      .enhanced(0, 2n, bytes)
      .section(true)
      .enhanced(0, 3n, bytes);
    const { frames, error, linkTypes } = await readBytes(file.done());
    expect(frames.map(({ linkType }) => linkType)).toEqual([1, 113]);
    expect(linkTypes).toEqual([1, 113]);
    expect(error?.message).toContain("a packet names interface 0, but the section has 0");
  });

  it("skips every block that holds no packet", async () => {
    const file = new Pcapng().section(true).interface(1);
    for (const type of [4, 5, 7, 8, 9, 10, 0xbad, 0x4000_0bad, 0x7fff_ffff, 0x8000_0001]) {
      file.block(type, new Uint8Array(40)).enhanced(0, 1n, bytes);
    }
    const { frames, error } = await readBytes(file.done());
    expect(error).toBeNull();
    expect(frames.length).toBe(10);
  });

  it("reads the direction from among other options, and none from a block without", async () => {
    for (const [flags, direction] of [
      [0, Direction.UNKNOWN],
      [1, Direction.IN],
      [2, Direction.OUT],
      [3, Direction.UNKNOWN],
      [0xfffd, Direction.IN],
    ] as const) {
      const file = new Pcapng().section(false).interface(1).enhanced(0, 1n, bytes, { flags });
      expect((await readBytes(file.done())).frames[0]?.direction).toBe(direction);
    }
  });
});
