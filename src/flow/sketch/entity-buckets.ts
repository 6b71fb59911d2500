// SPDX-License-Identifier: AGPL-3.0-or-later
import { lastingI32 } from "../../util/lasting.ts";
import { add, f64, i32 } from "../../util/typed.ts";

/** Entities that share a hash bucket. */
export const WAYS = 8;
export const WAY_BITS = 3;
/**
 * A bucket is one stretch of memory, for a claim waits for memory more than for anything else: the hashes of its eight
 * entities, 0 where there is none, then when each was claimed last, and then their weights.
 */
export const BUCKET_WORDS = WAYS + 2 * WAYS + 2 * WAYS;
const BUCKET_DOUBLES = BUCKET_WORDS / 2;
const LAST_MS = WAYS / 2;
const WEIGHT = LAST_MS + WAYS;

/** What decides where an entity is kept, and for how long, by its slot: bucket and way. */
export class EntityBuckets {
  /** The hashes of bucket `b` are `words[b * BUCKET_WORDS]` and the seven after it. */
  readonly words: Int32Array;
  readonly #doubles: Float64Array;

  /** `capacity` is a multiple of WAYS. */
  constructor(capacity: number) {
    this.words = lastingI32((capacity >>> WAY_BITS) * BUCKET_WORDS);
    this.#doubles = new Float64Array(this.words.buffer);
  }

  isHeld(slot: number): boolean {
    return i32(this.words, hashAt(slot)) !== 0;
  }

  /** Gives the slot to an entity without weight; its last claim is still to be set. */
  hold(slot: number, hash: number): void {
    this.words[hashAt(slot)] = hash;
    this.#doubles[doubleAt(slot, WEIGHT)] = 0;
  }

  free(slot: number): void {
    this.words[hashAt(slot)] = 0;
  }

  /** Frees every slot. */
  clear(): void {
    this.words.fill(0);
  }

  lastMs(slot: number): number {
    return f64(this.#doubles, doubleAt(slot, LAST_MS));
  }

  setLastMs(slot: number, timeMs: number): void {
    this.#doubles[doubleAt(slot, LAST_MS)] = timeMs;
  }

  weight(slot: number): number {
    return f64(this.#doubles, doubleAt(slot, WEIGHT));
  }

  weigh(slot: number, amount: number): void {
    add(this.#doubles, doubleAt(slot, WEIGHT), amount);
  }
}

function hashAt(slot: number): number {
  return (slot >>> WAY_BITS) * BUCKET_WORDS + (slot & (WAYS - 1));
}

function doubleAt(slot: number, column: number): number {
  return (slot >>> WAY_BITS) * BUCKET_DOUBLES + column + (slot & (WAYS - 1));
}
