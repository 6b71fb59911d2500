// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { DnsName, NameFault, skipName } from "../../src/decode/dns-name.ts";
import { bytes, hex } from "./frames.ts";

describe("names", () => {
  const name = new DnsName();

  /** Reads the name at `at` of a message in memory of exactly its size. */
  function read(message: Uint8Array, at = 0): string | null {
    const memory = Uint8Array.from(message);
    const next = name.read(new DataView(memory.buffer), 0, at, memory.length);
    expect(next < 0).toBe(name.length === 0);
    return next < 0 ? null : name.text();
  }

  it.each([
    ["the root", hex("00"), "."],
    ["upper case", bytes(3, "WwW", 1, "X", 0), "www.x"],
    ["dots and backslashes in labels", bytes(5, "a.b\\c", 0), "a\\.b\\\\c"],
    ["spaces, control and high bytes", bytes(4, hex("20 00 7f e9"), 0), "\\032\\000\\127\\233"],
  ])("writes %s", (_name, message, text) => {
    expect(read(message)).toBe(text);
  });

  it("follows pointers to earlier bytes", () => {
    const message = bytes(3, "com", 0, 7, "example", hex("c000"), 3, "www", hex("c005"));
    expect(read(message, 15)).toBe("www.example.com");
  });

  it.each([
    ["to itself", hex("c000"), 0],
    ["ahead", bytes(hex("c002"), 1, "a", 0), 0],
    ["to each other", hex("c002 c000"), 0],
    ["back to the label it came from", bytes(1, "a", hex("c000")), 0],
    ["around through labels", bytes(0, 1, "a", hex("c001")), 1],
    ["with its second byte missing", bytes(1, "a", 0xc0), 0],
    ["into bytes whose last is half a pointer", bytes(3, "abc", hex("c000"), 0xc0), 6],
  ])("refuses pointers %s", (_name, message, at) => {
    expect(read(message, at)).toBeNull();
  });

  it("refuses names over 255 bytes, and keeps nothing of them", () => {
    const label = bytes(63, "a".repeat(63));
    expect(read(bytes(label, label, label, label, label, 0))).toBeNull();
    expect(read(bytes(1, "b", 0))).toBe("b");
  });

  it("reads a name of 255 bytes that are all escaped", () => {
    const label = bytes(63, new Uint8Array(63));
    const text = read(bytes(label, label, label, 61, new Uint8Array(61), 0));
    expect(text).toHaveLength((63 * 3 + 61) * 4 + 3);
  });

  it("costs no more for chains of pointers than a name has bytes", () => {
    const chain = bytes(1, "a", 0, ...Array.from({ length: 4000 }, (_, i) => u16Pointer(i)));
    expect(read(chain, chain.length - 2)).toBeNull();
  });

  it("says how a name fails where only its end is wanted", () => {
    const skip = (message: Uint8Array) => {
      const memory = Uint8Array.from(message);
      return skipName(new DataView(memory.buffer), 0, memory.length);
    };
    expect(skip(bytes(1, "a", 0, "rest"))).toBe(3);
    expect(skip(bytes(1, "a", hex("c000"), "rest"))).toBe(4);
    expect(skip(hex("40"))).toBe(NameFault.MALFORMED);
    expect(skip(bytes(9, "short"))).toBe(NameFault.SHORT);
    expect(skip(hex("c0"))).toBe(NameFault.SHORT);
  });
});

/** The pointer at position `i` of the chain, to the one before it. */
function u16Pointer(i: number): Uint8Array {
  const target = i === 0 ? 0 : 3 + (i - 1) * 2;
  return Uint8Array.of(0xc0 | (target >>> 8), target & 0xff);
}
