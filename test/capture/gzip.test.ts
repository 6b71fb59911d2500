// SPDX-License-Identifier: AGPL-3.0-or-later
import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { PcapFileSource } from "../../src/capture/pcap-file.ts";
import { packets, pcap } from "./capture-files.ts";
import { pseudoRandom } from "./frames.ts";
import { readBytes, readFile } from "./read-capture.ts";
import { temporaryFiles } from "./temporary-files.ts";

const { saved } = temporaryFiles();

describe("gzip", () => {
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
});

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = 255 - (copy[at] ?? 0);
  return copy;
}
