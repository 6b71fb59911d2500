// SPDX-License-Identifier: AGPL-3.0-or-later
import { lastingBytes } from "../util/lasting.ts";
import { i32 } from "../util/typed.ts";

/** Flows that share a hash bucket; a lookup looks at no more. */
export const WAYS = 8;
/** A bucket is half a cache line: the tags of its flows, one byte each, then their rows, three bytes each. */
export const BUCKET_SHIFT = 3;
const ROWS_AT = WAYS;
const BYTES_OF_ROW = 3;
const WAYS_OF_WORD = 4;

const EVERY_BYTE = 0x01010101;
const HIGHEST_BITS = 0x80808080 | 0;
const TAGS = 255;

/** Most rows that three bytes can name. */
export const MOST_ROWS = 1 << 24;

/**
 * Where a hash leads: buckets of eight ways, each free or leading to a row of the flow table. Kept apart from the rows so
 * that these lie densely, in the order in which they were needed: what is spread over memory costs page walks,
 * which are dearer than the cache misses.
 */
export class FlowIndex {
  /** Tag words of bucket `b` are `words[b << BUCKET_SHIFT]` and the next. */
  readonly words: Int32Array;
  /** The same memory. */
  readonly view: DataView;
  readonly #octets: Uint8Array;

  /** `buckets` is a power of two. */
  constructor(buckets: number) {
    const memory = lastingBytes(buckets << (BUCKET_SHIFT + 2));
    this.words = new Int32Array(memory);
    this.view = new DataView(memory);
    this.#octets = new Uint8Array(memory);
  }

  /** The row that a way of the bucket leads to; meaningless where the way is free. */
  row(bucket: number, way: number): number {
    return rowAt(this.view, bucket, way);
  }

  /** A way of the bucket that is free, -1 where none is. */
  freeWay(bucket: number): number {
    const at = bucket << BUCKET_SHIFT;
    const low = matches(i32(this.words, at), 0);
    if (low !== 0) return firstWay(low);
    const high = matches(i32(this.words, at + 1), 0);
    return high === 0 ? -1 : WAYS_OF_WORD + firstWay(high);
  }

  /** Lets a way lead to a row. */
  set(bucket: number, way: number, tag: number, row: number): void {
    const at = bucket << (BUCKET_SHIFT + 2);
    const rowAt = at + ROWS_AT + way * BYTES_OF_ROW;
    this.#octets[at + way] = tag;
    this.#octets[rowAt] = row;
    this.#octets[rowAt + 1] = row >>> 8;
    this.#octets[rowAt + 2] = row >>> 16;
  }

  /** Frees the way that leads to a row of the bucket. */
  clear(bucket: number, row: number): void {
    const at = bucket << (BUCKET_SHIFT + 2);
    for (let way = 0; way < WAYS; way++) {
      if (this.#octets[at + way] === 0 || this.row(bucket, way) !== row) continue;
      this.#octets[at + way] = 0;
      return;
    }
  }
}

/** What tells the flows of a bucket apart without a look at their rows, from the bits that do not choose the bucket; never 0. */
export function tagOf(hash: number): number {
  return (((hash >>> 24) * TAGS) >>> 8) + 1;
}

/** The highest bit of each byte of `word` that equals `tag`, and maybe of bytes above one that does. */
export function matches(word: number, tag: number): number {
  const unlike = word ^ Math.imul(tag, EVERY_BYTE);
  return (unlike - EVERY_BYTE) & ~unlike & HIGHEST_BITS;
}

/** The lowest way of a tag word in what `matches` returned, which is not 0. */
export function firstWay(found: number): number {
  return (31 - Math.clz32(found & -found)) >>> 3;
}

export function rowAt(view: DataView, bucket: number, way: number): number {
  // One byte early, so that the row is in the upper three.
  return (
    view.getInt32((bucket << (BUCKET_SHIFT + 2)) + ROWS_AT - 1 + way * BYTES_OF_ROW, true) >>> 8
  );
}
