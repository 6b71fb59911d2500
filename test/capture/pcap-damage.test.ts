// SPDX-License-Identifier: AGPL-3.0-or-later
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Pcapng, packets, pcap } from "./capture-files.ts";
import { readBytes, readFile } from "./read-capture.ts";
import { temporaryFiles } from "./temporary-files.ts";

const { folder, saved } = temporaryFiles();

describe("a file that is", () => {
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
