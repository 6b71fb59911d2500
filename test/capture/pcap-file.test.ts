// SPDX-License-Identifier: AGPL-3.0-or-later
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { PcapFileSource } from "../../src/capture/pcap-file.ts";
import { Direction } from "../../src/capture/source.ts";
import { type FilePacket, PcapMagic, Pcapng, pcap } from "./capture-files.ts";
import { pseudoRandom } from "./frames.ts";
import { readBytes, readFile } from "./read-capture.ts";

const folder = mkdtempSync(join(tmpdir(), "nam-pcap-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

function packets(count: number, lengthOf = (index: number): number => 60 + index): FilePacket[] {
  return Array.from({ length: count }, (_, index) => ({
    seconds: 1_700_000_000 + index,
    nanoseconds: 123_456_000 + index,
    bytes: new Uint8Array(lengthOf(index)).fill(index),
  }));
}

function saved(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

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

  it("carries sub-second parts of a second or more over", async () => {
    const odd = [{ seconds: 10, nanoseconds: 2_500_000_000, bytes: new Uint8Array(1) }];
    const { frames } = await readBytes(pcap(odd, { magic: PcapMagic.NANOSECONDS }));
    expect(frames[0]).toMatchObject({ seconds: 12, nanoseconds: 500_000_000 });
  });

  it("reads a packet as large as the file allows", async () => {
    const large = packets(3, () => 3_000_000);
    const { frames, error } = await readBytes(pcap(large, { snaplen: 4_000_000 }));
    expect(error).toBeNull();
    expect(frames.map(({ bytes }) => bytes.length)).toEqual([3_000_000, 3_000_000, 3_000_000]);
    expect(frames[1]?.bytes.every((byte) => byte === 1)).toBe(true);
  });
});

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

describe("gzip, standard input and chunks", () => {
  const written = packets(3000);
  const plain = pcap(written);

  it("reads gzip, also of several members", async () => {
    const half = Math.floor(plain.length / 3);
    const members = [gzipSync(plain.subarray(0, half)), gzipSync(plain.subarray(half))];
    for (const packed of [gzipSync(plain), Buffer.concat(members)]) {
      const path = saved("packets.pcap.gz", packed);
      const source = new PcapFileSource(path);
      let count = 0;
      await source.open();
      await source.run(() => count++);
      expect(count).toBe(3000);
      expect(source.progress()).toEqual({ readBytes: packed.length, totalBytes: packed.length });
      source.close();
      expect((await readBytes(packed, 13)).frames.length).toBe(3000);
    }
  });

  it("reads gzip with every optional header field, and with padding behind it", async () => {
    const packed = gzipSync(plain);
    const text = new TextEncoder().encode("packets.pcap\0a comment\0");
    const extra = Uint8Array.of(3, 0, 1, 2, 3);
    const header = Uint8Array.from(packed.subarray(0, 10));
    header[3] = 0x1e;
    const file = [
      header,
      extra,
      text,
      Uint8Array.of(0, 0),
      packed.subarray(10),
      new Uint8Array(9000),
    ];
    const { frames, error } = await readBytes(Buffer.concat(file));
    expect(error).toBeNull();
    expect(frames.length).toBe(3000);
  });

  it.each([
    ["its checksum is wrong", (packed: Buffer) => flipped(packed, packed.length - 8)],
    ["its length is wrong", (packed: Buffer) => flipped(packed, packed.length - 4)],
    ["unexpected end of file", (packed: Buffer) => packed.subarray(0, -1)],
    [
      "something else follows its end",
      (packed: Buffer) => Buffer.concat([packed, Buffer.from("x")]),
    ],
  ])("delivers everything where %s", async (reason, damage) => {
    const { frames, error } = await readBytes(damage(gzipSync(plain)));
    expect(frames.length).toBe(3000);
    expect(error?.message).toContain(`the gzip packing is damaged: ${reason}`);
  });

  it("refuses gzip of an unknown method", async () => {
    const { error } = await readBytes(flipped(gzipSync(plain), 2));
    expect(error?.message).toContain("packed by an unknown method");
  });

  it("delivers all that a cut-off gzip file still holds", async () => {
    const packed = gzipSync(plain);
    for (const part of [0.3, 0.7, 0.99]) {
      const cut = packed.subarray(0, packed.length * part);
      const path = saved("cut.pcap.gz", cut);
      const unpacked = execFileSync("sh", ["-c", `gzip -dc ${path} 2>/dev/null || true`], {
        maxBuffer: 1e9,
      });
      const { frames: expected } = await readBytes(unpacked);
      const { frames, error } = await readFile(path);
      expect(expected.length).toBeGreaterThan(100);
      expect(frames.length).toBe(expected.length);
      expect(error?.code).toBe("CAPTURE_FILE_DAMAGED");
      expect(error?.message).toMatch(/gzip packing is damaged: unexpected end of file/);
    }
  });

  it("delivers what comes before damage in a gzip file, but for the last few kilobytes", async () => {
    const random = pseudoRandom(5);
    const noise = written.map((packet) => ({
      ...packet,
      bytes: packet.bytes.map(() => random() * 256),
    }));
    const packed = gzipSync(pcap(noise));
    const at = Math.floor(packed.length * 0.7);
    packed.fill(0xff, at, at + 4096);
    const { frames, error } = await readBytes(packed);
    expect(error?.message).toContain("the gzip packing is damaged");
    const whole = pcap(noise).length;
    const read = frames.reduce((sum, { bytes }) => sum + 16 + bytes.length, 24);
    expect(read).toBeGreaterThan(0.7 * whole - 10_000);
    expect(frames[5]?.bytes).toEqual(noise[5]?.bytes);
  });

  it("gives the same frames however the input is cut into chunks", async () => {
    const pcapng = new Pcapng().section(true).interface(1);
    for (const { bytes } of written.slice(0, 40)) pcapng.enhanced(0, 7n, bytes);
    for (const file of [pcap(written.slice(0, 40)), pcapng.done()]) {
      const whole = await readBytes(file);
      expect(whole.frames.length).toBe(40);
      for (const chunkBytes of [1, 2, 3, 7, 16, 24, 61, 1000]) {
        expect(await readBytes(file, chunkBytes)).toEqual(whole);
      }
    }
  });

  it("reads a file that is longer than any buffer", async () => {
    const many = packets(400, (index) => 20_000 + index * 100);
    const { frames, error } = await readFile(saved("long.pcap", pcap(many)));
    expect(error).toBeNull();
    expect(frames.map(({ bytes }) => bytes.length)).toEqual(many.map(({ bytes }) => bytes.length));
    const read = (index: number): number | undefined => frames[index]?.bytes.at(-1);
    for (const index of [0, 100, 399]) expect(read(index)).toBe(index & 255);
  });

  it("delivers from a pipe as the packets come, and ends when stopped", async () => {
    const pipe = new PassThrough();
    const source = new PcapFileSource("-", pipe);
    await source.open();
    const seen: number[] = [];
    let wake = (): void => {};
    const ended = source.run((frame) => {
      seen.push(frame.end - frame.start);
      wake();
    });
    pipe.write(pcap(packets(1)));
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    expect(seen).toEqual([60]);
    expect(source.progress()).toEqual({ readBytes: 24 + 16 + 60, totalBytes: null });
    source.stop();
    await ended;
    pipe.write(pcap(packets(2)).subarray(24));
    source.close();
    expect(seen).toEqual([60]);
  });

  it("delivers nothing when it was stopped before it ran", async () => {
    const source = new PcapFileSource(saved("stopped.pcap", plain));
    await source.open();
    source.stop();
    await source.run(() => expect.unreachable());
    source.close();
    source.close();
    expect(source.stats()).toMatchObject({ received: 0, dropCounterSupported: true });
  });

  it("waits where the sink holds it, with the frame unchanged meanwhile", async () => {
    const source = new PcapFileSource(saved("held.pcap", pcap(packets(4))));
    await source.open();
    const seen: string[] = [];
    await source.run((frame) => {
      const { view, start, end } = frame;
      seen.push(`frame ${frame.seconds}`);
      const wait = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        seen.push(`held ${frame.seconds}, ${view.getUint8(start)} ${end - start}`);
      });
      source.hold(wait);
    });
    source.close();
    expect(seen).toEqual(
      [0, 1, 2, 3].flatMap((index) => [
        `frame ${1_700_000_000 + index}`,
        `held ${1_700_000_000 + index}, ${index} ${60 + index}`,
      ]),
    );
  });
});

describe("errors", () => {
  const good = pcap(packets(3));

  it.each([
    ["missing", join(folder, "nothing-here"), /nothing-here/],
    ["a directory", folder, /it is a directory/],
  ])("CAPTURE_FILE where the file is %s", async (_, path, words) => {
    const { error } = await readFile(path);
    expect(error).toMatchObject({ code: "CAPTURE_FILE", message: expect.stringMatching(words) });
  });

  const section = (): Pcapng => new Pcapng().section(true).interface(1);
  const bytes = new Uint8Array(20);
  const damaged: [string, Uint8Array, number, RegExp][] = [
    ["empty", new Uint8Array(0), 0, /at byte 0: the file is empty/],
    ["shorter than a header", good.subarray(0, 11), 0, /at byte 0: 11 bytes are no capture file/],
    ["no capture", new Uint8Array(99).fill(0x2e), 0, /begins with 2e2e2e2e, which is neither/],
    ["of another pcap version", withU16(good, 4, 3), 0, /at byte 4: pcap version 3\.4 is not 2\.x/],
    [
      "cut in a packet header",
      good.subarray(0, 24 + 76 + 9),
      1,
      /at byte 100: .*ends 9 bytes into/,
    ],
    ["cut in a packet", good.subarray(0, good.length - 1), 2, /at byte 177: .*ends 77 bytes into/],
    [
      "with an absurd length",
      withU32(good, 24 + 76 + 8, 99_999_999),
      1,
      /at byte 100: .* claims 99999999/,
    ],
    [
      "of another pcapng version",
      new Pcapng().section(true, { major: 2 }).done(),
      0,
      /version 2 is not 1/,
    ],
    [
      "without byte-order magic",
      withU32(section().done(), 8, 0x11111111),
      0,
      /no byte-order magic/,
    ],
    [
      "with two lengths",
      section().enhanced(0, 1n, bytes).block(5, bytes, { last: 99 }).done(),
      1,
      /two lengths/,
    ],
    ["with a crooked length", withU32(section().done(), 4, 29), 0, /claims a length of 29/],
    [
      "with a huge block",
      withU32(section().done(), 4, 0x7ffffffc),
      0,
      /claims a length of 2147483644/,
    ],
    [
      "with a block in pieces",
      section().enhanced(0, 1n, bytes).done().subarray(0, -4),
      0,
      /ends \d+ bytes into/,
    ],
    [
      "with a packet beyond its block",
      section()
        .enhanced(0, 1n, bytes, { claimed: 21 + 24 })
        .done(),
      0,
      /does not fit/,
    ],
    [
      "with a packet one byte longer than its block",
      section()
        .block(6, withU32(new Uint8Array(40), 12, 21))
        .done(),
      0,
      /21 bytes does not fit/,
    ],
    [
      "with an unknown interface",
      section().enhanced(0, 1n, bytes).enhanced(1, 1n, bytes).done(),
      1,
      /names interface 1/,
    ],
    [
      "with a simple packet first",
      new Pcapng().section(true).simple(bytes).done(),
      0,
      /names interface 0/,
    ],
    [
      "with short blocks",
      section().block(6, new Uint8Array(16)).done(),
      0,
      /enhanced .* too short/,
    ],
    [
      "with short old blocks",
      section().block(2, new Uint8Array(16)).done(),
      0,
      /packet block is too short/,
    ],
    [
      "with an empty simple block",
      section().block(3, new Uint8Array(0)).done(),
      0,
      /simple .* too short/,
    ],
    [
      "with a short interface",
      new Pcapng().section(true).block(1, new Uint8Array(4)).done(),
      0,
      /too short/,
    ],
    ["with too many interfaces", tooManyInterfaces(), 0, /more than 65536 interfaces/],
    ["packed and damaged", brokenGzip(), 0, /the gzip packing is damaged/],
  ];

  it.each(damaged)("CAPTURE_FILE_DAMAGED where it is %s", async (_, file, count, words) => {
    for (const result of [await readFile(saved("damaged", file)), await readBytes(file, 5000)]) {
      expect(result.error?.code).toBe("CAPTURE_FILE_DAMAGED");
      expect(result.error?.message).toMatch(words);
      expect(result.frames.length).toBe(count);
      expect(result.error?.message).toContain(`the ${count} packets before it were read`);
    }
  });
});

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = 255 - (copy[at] ?? 0);
  return copy;
}

function withU16(file: Uint8Array, at: number, value: number): Uint8Array {
  const copy = file.slice();
  new DataView(copy.buffer).setUint16(at, value, true);
  return copy;
}

function withU32(file: Uint8Array, at: number, value: number): Uint8Array {
  const copy = file.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

function tooManyInterfaces(): Uint8Array {
  const one = new Pcapng().section(true).done();
  const two = new Pcapng().section(true).interface(1).done().subarray(one.length);
  return Buffer.concat([one, ...Array.from({ length: 65_537 }, () => two)]);
}

function brokenGzip(): Uint8Array {
  const packed = gzipSync(pcap(packets(3)));
  packed.fill(0xff, 12, 20);
  return packed;
}
