// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../util/typed.ts";

/** Words that so many ranges take, and one more: a range is put in before its neighbours are known to make room. */
export function rangeWords(limit: number): number {
  return 2 * (limit + 1);
}

/** Which bytes of a buffer are there: disjoint ranges in ascending order, in memory that never grows. */
export class RangeSet {
  readonly #bounds: Int32Array;
  readonly #at: number = 0;
  readonly #limit: number = 0;
  #count = 0;

  /** `limit`: most disjoint ranges; `bounds` holds them from `at` on, in `rangeWords(limit)` words. */
  constructor(limit: number, bounds: Int32Array, at: number) {
    this.#limit = limit;
    this.#bounds = bounds;
    this.#at = at;
  }

  clear(): void {
    this.#count = 0;
  }

  /** Bytes there from 0 on without a gap. */
  prefix(): number {
    return this.#count > 0 && this.#from(0) === 0 ? this.#to(0) : 0;
  }

  /** Start of the first range, 0 without one. */
  first(): number {
    return this.#count > 0 ? this.#from(0) : 0;
  }

  firstLength(): number {
    return this.#count > 0 ? this.#to(0) - this.#from(0) : 0;
  }

  /**
   * Adds `[from, to)`, and copies those of its bytes that are not there yet from `source`, whose first byte belongs
   * at `from`, into `target`. False where that would be one range too many.
   */
  add(from: number, to: number, source: Uint8Array, target: Uint8Array): boolean {
    let first = 0;
    while (first < this.#count && this.#to(first) < from) first++;
    let last = first;
    let at = from;
    for (; last < this.#count && this.#from(last) <= to; last++) {
      copy(source, from, at, this.#from(last), target);
      at = Math.max(at, this.#to(last));
    }
    if (last === first && this.#count === this.#limit) return false;
    copy(source, from, at, to, target);
    if (last === first) this.#replace(first, 0, from, to);
    else {
      const start = Math.min(from, this.#from(first));
      this.#replace(first, last - first, start, Math.max(to, this.#to(last - 1)));
    }
    return true;
  }

  /** Moves all ranges by `distance`; what leaves `[0, end)` is forgotten. */
  shift(distance: number, end: number): void {
    let kept = 0;
    for (let i = 0; i < this.#count; i++) {
      const from = Math.max(0, this.#from(i) + distance);
      const to = Math.min(end, this.#to(i) + distance);
      if (from >= to) continue;
      this.#set(kept++, from, to);
    }
    this.#count = kept;
  }

  /** Puts one range in the place of `removed` ranges. */
  #replace(index: number, removed: number, from: number, to: number): void {
    const at = this.#at;
    const rest = at + 2 * (index + removed);
    this.#bounds.copyWithin(at + 2 * (index + 1), rest, at + 2 * this.#count);
    this.#set(index, from, to);
    this.#count += 1 - removed;
  }

  #set(index: number, from: number, to: number): void {
    const at = this.#at + 2 * index;
    this.#bounds[at] = from;
    this.#bounds[at + 1] = to;
  }

  #from(index: number): number {
    return i32(this.#bounds, this.#at + 2 * index);
  }

  #to(index: number): number {
    return i32(this.#bounds, this.#at + 2 * index + 1);
  }
}

/** Bytes `[at, to)` of a source that begins at `from`. */
function copy(source: Uint8Array, from: number, at: number, to: number, target: Uint8Array): void {
  if (at < to) target.set(source.subarray(at - from, to - from), at);
}
