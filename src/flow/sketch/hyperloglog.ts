// SPDX-License-Identifier: AGPL-3.0-or-later
// HyperLogLog over byte registers: 2^precision of them, anywhere in an array, so that a table can hold thousands of
// sketches in one allocation. Sketches of the same hash merge by taking the larger of each register.
import { u8 } from "../../util/typed.ts";

/** Registers by rank, of the estimate at hand. */
const histogram = new Uint32Array(33);

/** Counts one element, given as a well-mixed 32-bit hash; the same element again changes nothing. */
export function observeDistinct(
  registers: Uint8Array,
  at: number,
  precision: number,
  hash: number,
): void {
  const register = at + (hash >>> (32 - precision));
  // The marker bit ends the run of zeros where the hash has no more bits.
  const rank = Math.clz32((hash << precision) | (1 << (precision - 1))) + 1;
  if (rank > u8(registers, register)) registers[register] = rank;
}

export function mergeDistinct(into: Uint8Array, from: Uint8Array): void {
  for (let i = 0; i < into.length; i++) {
    if (u8(from, i) > u8(into, i)) into[i] = u8(from, i);
  }
}

/**
 * How many distinct elements were observed: relative error about 1.04 / sqrt(2^precision), small counts nearly
 * exact. Ertl's estimator (arXiv:1702.01284, algorithm 6), which needs no corrections at either end.
 */
export function estimateDistinct(registers: Uint8Array, at: number, precision: number): number {
  const count = 1 << precision;
  const highest = 33 - precision;
  histogram.fill(0);
  for (let i = at; i < at + count; i++) {
    const rank = u8(registers, i);
    histogram[rank] = (histogram[rank] ?? 0) + 1;
  }
  let sum = count * highEnd(1 - (histogram[highest] ?? 0) / count);
  for (let rank = highest - 1; rank >= 1; rank--) sum = (sum + (histogram[rank] ?? 0)) / 2;
  sum += count * lowEnd((histogram[0] ?? 0) / count);
  return count ** 2 / (2 * Math.LN2 * sum);
}

/** Ertl's sigma: the share `empty` of registers that were never hit. */
function lowEnd(empty: number): number {
  if (empty === 1) return Number.POSITIVE_INFINITY;
  let power = empty;
  let weight = 1;
  let sum = empty;
  for (let last = -1; sum !== last; weight *= 2) {
    last = sum;
    power *= power;
    sum += power * weight;
  }
  return sum;
}

/** Ertl's tau: the share `open` of registers that are not yet at their highest rank. */
function highEnd(open: number): number {
  if (open === 0 || open === 1) return 0;
  let root = open;
  let weight = 1;
  let sum = 1 - open;
  for (let last = -1; sum !== last; ) {
    last = sum;
    root = Math.sqrt(root);
    weight /= 2;
    sum -= (1 - root) ** 2 * weight;
  }
  return sum / 3;
}
