// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashKey, mix } from "../../src/flow/hash.ts";
import {
  estimateDistinct,
  mergeDistinct,
  observeDistinct,
} from "../../src/flow/sketch/hyperloglog.ts";

function sketchOf(first: number, count: number, precision: number, key: number): Uint8Array {
  const registers = new Uint8Array(1 << precision);
  for (let i = 0; i < count; i++) observeDistinct(registers, 0, precision, mix(first + i, key));
  return registers;
}

describe("HyperLogLog", () => {
  it.each([
    [11, 0.023],
    [7, 0.092],
  ])("stays within its error at precision %i", (precision, standardError) => {
    for (const count of [10, 100, 300, 1000, 3000, 30_000]) {
      const errors = Array.from({ length: 25 }, (_, seed) => {
        const registers = sketchOf(1_000_000 * seed, count, precision, hashKey(seed, "test"));
        return estimateDistinct(registers, 0, precision) / count - 1;
      });
      const rms = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
      const bias = errors.reduce((sum, error) => sum + error, 0) / errors.length;
      expect(rms, `rms error at ${count}`).toBeLessThan(standardError * 1.4);
      expect(Math.abs(bias), `bias at ${count}`).toBeLessThan(standardError * 0.7);
    }
  });

  it("is nearly exact for few elements", () => {
    for (let count = 0; count <= 20; count++) {
      const registers = sketchOf(0, count, 11, hashKey(5, "test"));
      expect(Math.round(estimateDistinct(registers, 0, 11))).toBe(count);
    }
  });

  it("does not count an element twice", () => {
    const once = sketchOf(0, 500, 11, 77);
    const twice = once.slice();
    for (let i = 0; i < 500; i++) observeDistinct(twice, 0, 11, mix(i, 77));
    expect(twice).toEqual(once);
  });

  it("never writes outside its registers", () => {
    const registers = new Uint8Array(3 * 128);
    fc.assert(
      fc.property(fc.integer(), (hash) => {
        observeDistinct(registers, 128, 7, hash);
        expect(registers.subarray(0, 128).some(Boolean)).toBe(false);
        expect(registers.subarray(256).some(Boolean)).toBe(false);
      }),
    );
    expect(estimateDistinct(registers, 0, 7)).toBe(0);
    expect(estimateDistinct(registers, 128, 7)).toBeGreaterThan(50);
  });

  it("estimates a finite number whatever the registers hold", () => {
    expect(estimateDistinct(new Uint8Array(2048), 0, 11)).toBe(0);
    const full = new Uint8Array(2048).fill(22);
    expect(Number.isNaN(estimateDistinct(full, 0, 11))).toBe(false);
  });

  it("merges into the sketch of the union, in any order", () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.nat(2000), fc.nat(3000), (a, b, gap) => {
        const [first, second] = [sketchOf(0, a, 11, 9), sketchOf(gap, b, 11, 9)];
        const union = sketchOf(0, a, 11, 9);
        for (let i = 0; i < b; i++) observeDistinct(union, 0, 11, mix(gap + i, 9));
        const forward = first.slice();
        mergeDistinct(forward, second);
        const backward = second.slice();
        mergeDistinct(backward, first);
        expect(forward).toEqual(union);
        expect(backward).toEqual(union);
      }),
      { numRuns: 20 },
    );
  });
});
