// SPDX-License-Identifier: AGPL-3.0-or-later
import { lastingU16 } from "../../util/lasting.ts";
import { u16 } from "../../util/typed.ts";
import { WATCHED } from "./watch-rows.ts";

/** Parts of an octave that are counted apart: 8 of sizes, 4 of gaps. */
const SIZE_BITS = 3;
const GAP_BITS = 2;
/** Sizes in bytes up to 2^15, gaps in sixteenths of a millisecond up to 2^18, which is 16 s. */
const SIZES = (15 - SIZE_BITS + 1) << SIZE_BITS;
const GAPS = (18 - GAP_BITS + 1) << GAP_BITS;
const GAP_UNITS = 16;
/** What a counter holds; a reply that long has been judged by its beginning. */
const MOST = 0xffff;

/** Records of a reply that say nothing of its rhythm: headers, and what was ready when they were. */
const SKIPPED = 2;
/** A record that holds more than a few events. */
export const LARGE_BYTES = 1200;

/**
 * Records of a token stream, headers among them. Recorded events come to 60 to 600 bytes with little spread, each written
 * by itself; docs/ai-traffic.md has where the numbers come from.
 */
const RECORDS_MIN = 20;
const SIZE_MIN = 60;
const SIZE_MAX = 700;
const SIZE_SPREAD_MAX = 0.8;
const LARGE_SHARE_MAX = 0.15;
const GAP_MS_MIN = 4;
const GAP_MS_MAX = 250;
const LENGTH_MS_MIN = 1000;
const CLIENT_SHARE_MAX = 0.1;

/**
 * How large the records of replies are and how far apart, as counts in classes of 12 % and 25 % width: no sequence of
 * sizes is kept, from which one could read what was said.
 */
export class StreamShape {
  readonly #sizes = lastingU16(WATCHED * SIZES);
  readonly #gaps = lastingU16(WATCHED * GAPS);
  readonly #seen = new Uint16Array(WATCHED);
  readonly #large = new Uint16Array(WATCHED);
  readonly #client = new Uint16Array(WATCHED);

  /** A reply begins. */
  begin(row: number): void {
    this.#sizes.fill(0, row * SIZES, (row + 1) * SIZES);
    this.#gaps.fill(0, row * GAPS, (row + 1) * GAPS);
    this.#seen[row] = 0;
    this.#large[row] = 0;
    this.#client[row] = 0;
  }

  /** A record of the server, `gapMs` after the one before it; less than 0 where the capture's clock went back. */
  add(row: number, bytes: number, gapMs: number): void {
    const seen = u16(this.#seen, row);
    if (seen === MOST) return;
    this.#seen[row] = seen + 1;
    if (bytes >= LARGE_BYTES) increment(this.#large, row);
    if (seen < SKIPPED) return;
    increment(this.#sizes, row * SIZES + classOf(bytes, SIZE_BITS, SIZES));
    const gap = (Math.max(0, gapMs) * GAP_UNITS) | 0;
    increment(this.#gaps, row * GAPS + classOf(gap, GAP_BITS, GAPS));
  }

  /** A record, or a datagram, of the client while the reply goes on. */
  addClient(row: number): void {
    if (u16(this.#client, row) < MOST) increment(this.#client, row);
  }

  /** Records of the reply so far, and those among them of LARGE_BYTES and more. */
  records(row: number): number {
    return u16(this.#seen, row);
  }

  large(row: number): number {
    return u16(this.#large, row);
  }

  /** True where a reply that took `lengthMs` from its first byte to its last looks like a token stream. */
  isStream(row: number, lengthMs: number): boolean {
    const count = u16(this.#seen, row) - SKIPPED;
    if (count < RECORDS_MIN || lengthMs < LENGTH_MS_MIN) return false;
    if (u16(this.#large, row) > LARGE_SHARE_MAX * count) return false;
    if (u16(this.#client, row) > CLIENT_SHARE_MAX * count) return false;
    const gap = this.#gap(row, count) / GAP_UNITS;
    if (gap < GAP_MS_MIN || gap > GAP_MS_MAX) return false;
    const median = this.#size(row, count, 0.5);
    const spread = this.#size(row, count, 0.75) - this.#size(row, count, 0.25);
    return median >= SIZE_MIN && median <= SIZE_MAX && spread <= SIZE_SPREAD_MAX * median;
  }

  #size(row: number, count: number, share: number): number {
    return quantile(this.#sizes, row * SIZES, SIZES, SIZE_BITS, share * count);
  }

  #gap(row: number, count: number): number {
    return quantile(this.#gaps, row * GAPS, GAPS, GAP_BITS, count / 2);
  }
}

function increment(counts: Uint16Array, at: number): void {
  counts[at] = u16(counts, at) + 1;
}

/** Class of a number: those below 2^bits by themselves, then 2^bits classes an octave; the last for all beyond. */
function classOf(value: number, bits: number, classes: number): number {
  if (value < 1 << bits) return value;
  const octave = 31 - Math.clz32(value) - bits;
  const index = ((octave + 1) << bits) | ((value >>> octave) & ((1 << bits) - 1));
  return index < classes ? index : classes - 1;
}

/** Least number of a class. */
function startOf(index: number, bits: number): number {
  const octave = (index >>> bits) - 1;
  if (octave < 0) return index;
  return ((1 << bits) | (index & ((1 << bits) - 1))) << octave;
}

/** The number below which `rank` of the counted ones lie, those of a class being spread evenly over it. */
function quantile(
  counts: Uint16Array,
  from: number,
  classes: number,
  bits: number,
  rank: number,
): number {
  let below = 0;
  for (let index = 0; index < classes; index++) {
    const here = u16(counts, from + index);
    if (below + here >= rank && here > 0) {
      const start = startOf(index, bits);
      const width = startOf(index + 1, bits) - start;
      return start + ((rank - below) / here) * width;
    }
    below += here;
  }
  return 0;
}
