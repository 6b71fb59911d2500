// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { rebaseCooked, snaplenProgram } from "../../src/capture/bpf.ts";

/** One instruction as the kernel lays it out. */
function instruction(code: number, k: number): number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt32LE(k >>> 0, 4);
  return [...bytes];
}

function rebased(code: number, k: number): number | null {
  const program = Uint8Array.from(instruction(code, k));
  return rebaseCooked(program) ? Buffer.from(program).readUInt32LE(4) : null;
}

const LOADS = { word: 0x20, half: 0x28, byte: 0x30, indirect: 0x48, headerLength: 0xb1 };

describe("snaplenProgram", () => {
  it("is one return", () => {
    expect([...snaplenProgram(2048)]).toEqual(instruction(0x06, 2048));
  });
});

describe("rebaseCooked", () => {
  it("counts from the network header", () => {
    for (const code of Object.values(LOADS)) {
      expect(rebased(code, 16)).toBe(0xfff00000);
      expect(rebased(code, 16 + 9)).toBe(0xfff00009);
    }
  });

  it("takes packet type and protocol from the kernel", () => {
    expect(rebased(LOADS.half, 0)).toBe(0xfffff004);
    expect(rebased(LOADS.half, 14)).toBe(0xfffff000);
  });

  it("refuses other fields of the link layer", () => {
    for (const offset of [1, 2, 4, 6, 13, 15]) expect(rebased(LOADS.half, offset)).toBeNull();
  });

  it("leaves alone what reads no packet, and what the kernel provides", () => {
    for (const code of [0x06, 0x15, 0x60, 0x80, 0x61, 0x07, 0x54]) expect(rebased(code, 6)).toBe(6);
    expect(rebased(LOADS.word, 0xfffff02c)).toBe(0xfffff02c);
  });
});
