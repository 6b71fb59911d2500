// SPDX-License-Identifier: AGPL-3.0-or-later
// Files cut at every byte, and files with bytes changed at random: whatever comes before the damage is delivered, and
// nothing but a NamError is thrown. `readBytes` throws on whatever is not one.
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { PcapMagic, Pcapng, pcap } from "./capture-files.ts";
import { pseudoRandom } from "./frames.ts";
import { readBytes } from "./read-capture.ts";

const MUTATIONS_PER_FILE = 5000;

const packets = [14, 60, 0, 33, 100].map((length, index) => ({
  seconds: 1_700_000_000 + index,
  nanoseconds: 1000 * index,
  bytes: new Uint8Array(length).fill(0x11 * index),
}));

function pcapng(little: boolean): Uint8Array {
  const file = new Pcapng()
    .section(little, { options: [[4, new TextEncoder().encode("test")]] })
    .interface(1, { snaplen: 96, resolution: 9, offsetSeconds: 1n })
    .interface(101, { resolution: 0x8a });
  for (const [index, { bytes }] of packets.entries()) {
    file.enhanced(index & 1, 1_700_000_000_000_000_000n, bytes, { flags: index & 3 });
  }
  file.block(0xbad, new Uint8Array(16)).simple(packets[1]?.bytes ?? new Uint8Array(0));
  file.section(!little).interface(1).obsolete(0, 1_700_000_000_000_000n, new Uint8Array(9));
  return file.done();
}

/** Name and content; the last two change their byte order on the way. */
const files: readonly [string, Uint8Array][] = [
  ["pcap", pcap(packets)],
  ["big-endian pcap", pcap(packets, { little: false, magic: PcapMagic.NANOSECONDS })],
  ["modified pcap", pcap(packets, { magic: PcapMagic.MODIFIED })],
  ["pcapng", pcapng(true)],
  ["big-endian pcapng", pcapng(false)],
];

describe.each(files)("%s", (_, file) => {
  it("delivers what is there when cut at any byte", async () => {
    const whole = await readBytes(file);
    expect(whole.error).toBeNull();
    let undamaged = 0;
    for (let length = 0; length < file.length; length++) {
      const { frames, error } = await readBytes(file.subarray(0, length));
      expect(frames, `cut at ${length}`).toEqual(whole.frames.slice(0, frames.length));
      if (error === null) undamaged++;
      else expect(error.code, `cut at ${length}`).toBe("CAPTURE_FILE_DAMAGED");
    }
    // Cut between two records it cannot be told from a whole file.
    expect(undamaged).toBeGreaterThanOrEqual(packets.length);
    expect(undamaged).toBeLessThan(20);
  });

  it("survives any change of bytes", async () => {
    const whole = await readBytes(file);
    const random = pseudoRandom(file.length);
    for (let round = 0; round < MUTATIONS_PER_FILE; round++) {
      const changed = file.slice();
      let first = changed.length;
      for (let flips = 1 + random() * 3; flips > 0; flips--) {
        const at = Math.floor(random() * changed.length);
        changed[at] = random() < 0.3 ? 255 : random() * 256;
        first = Math.min(first, at);
      }
      const { frames, error } = await readBytes(changed);
      if (error !== null) expect(error.code).toBe("CAPTURE_FILE_DAMAGED");
      for (const { bytes, seconds, nanoseconds, wireLength } of frames) {
        expect(bytes.length).toBeLessThanOrEqual(changed.length);
        expect(Number.isFinite(seconds) && Number.isFinite(wireLength)).toBe(true);
        expect(nanoseconds >= 0 && nanoseconds < 1e9).toBe(true);
      }
      const untouched = (await readBytes(file.subarray(0, first))).frames.length;
      expect(frames.slice(0, untouched)).toEqual(whole.frames.slice(0, untouched));
    }
  });
});

describe("gzip", () => {
  const packed = gzipSync(pcap(packets));

  it("survives being cut at any byte and any change of bytes", async () => {
    const random = pseudoRandom(77);
    for (let length = 0; length < packed.length; length++) {
      expect((await readBytes(packed.subarray(0, length))).error?.code).toBe(
        "CAPTURE_FILE_DAMAGED",
      );
    }
    for (let round = 0; round < MUTATIONS_PER_FILE; round++) {
      const changed = Uint8Array.from(packed);
      changed[Math.floor(random() * changed.length)] = random() * 256;
      const { error } = await readBytes(changed);
      if (error !== null) expect(error.code).toBe("CAPTURE_FILE_DAMAGED");
    }
  });
});
