// SPDX-License-Identifier: AGPL-3.0-or-later
import { lastingF64, lastingI32 } from "../../util/lasting.ts";
import { add, f64, i32 } from "../../util/typed.ts";
import { hashAddress, hashKey } from "../hash.ts";
import { CATEGORIES } from "./pairs.ts";

/** Sources that are counted; a source beyond them is not. */
export const SOURCES_MAX = 4096;
/** Twice as many places, so that looking for one ends soon. */
const PLACES = 2 * SOURCES_MAX;
const WORDS = 4;
const ACTIVE_MS = 10 * 60_000;
const CLEAN_EVERY_MS = 60_000;
const KINDS = CATEGORIES.length;
const NEVER = Number.NEGATIVE_INFINITY;

/** Counts the distinct sources of each category in the last ten minutes, exactly, up to SOURCES_MAX of them. */
export class ActiveSources {
  /** True since a source found no place, until places are free again. */
  isSaturated = false;
  readonly #key: number = 0;
  readonly #words = lastingI32(PLACES * WORDS);
  /** By used place and category, when the source was last active, or NEVER. */
  readonly #lastMs = lastingF64(PLACES * KINDS);
  readonly #isUsed = new Uint8Array(PLACES);
  #size = 0;
  #cleanedMs = NEVER;

  constructor(hashSeed: number) {
    this.#key = hashKey(hashSeed, "ai sources");
  }

  /** The source was active in a category, by its position in CATEGORIES. */
  note(
    word0: number,
    word1: number,
    word2: number,
    word3: number,
    category: number,
    timeMs: number,
  ): void {
    const place = this.#placeOf(word0, word1, word2, word3);
    if (this.#isUsed[place] === 0) {
      if (this.#size === SOURCES_MAX) {
        this.isSaturated = true;
        return;
      }
      this.#size++;
      this.#isUsed[place] = 1;
      this.#words.set([word0, word1, word2, word3], place * WORDS);
      this.#lastMs.fill(NEVER, place * KINDS, (place + 1) * KINDS);
    }
    this.#lastMs[place * KINDS + category] = timeMs;
  }

  /** Writes the number of active sources of each category to `counts` from `at` on. */
  count(counts: Float64Array, at: number, timeMs: number): void {
    if (timeMs - this.#cleanedMs >= CLEAN_EVERY_MS) this.#clean(timeMs);
    counts.fill(0, at, at + KINDS);
    if (this.#size === 0) return;
    const since = timeMs - ACTIVE_MS;
    for (let place = 0; place < PLACES; place++) {
      if (this.#isUsed[place] === 0) continue;
      for (let category = 0; category < KINDS; category++) {
        if (f64(this.#lastMs, place * KINDS + category) > since) add(counts, at + category, 1);
      }
    }
  }

  /** Where the source is, or would be. */
  #placeOf(word0: number, word1: number, word2: number, word3: number): number {
    const words = this.#words;
    let place = hashAddress(word0, word1, word2, word3, this.#key) & (PLACES - 1);
    while (this.#isUsed[place] === 1) {
      const at = place * WORDS;
      const unlike =
        (i32(words, at) ^ word0) |
        (i32(words, at + 1) ^ word1) |
        (i32(words, at + 2) ^ word2) |
        (i32(words, at + 3) ^ word3);
      if (unlike === 0) break;
      place = (place + 1) & (PLACES - 1);
    }
    return place;
  }

  /** Puts those that are still active into empty places. */
  #clean(timeMs: number): void {
    this.#cleanedMs = timeMs;
    if (this.#size === 0) return;
    const since = timeMs - ACTIVE_MS;
    const active: [number, number, number, number, number, number][] = [];
    for (let place = 0; place < PLACES; place++) {
      if (this.#isUsed[place] === 0) continue;
      for (let category = 0; category < KINDS; category++) {
        const last = f64(this.#lastMs, place * KINDS + category);
        if (last <= since) continue;
        const [word0, word1, word2, word3] = this.#wordsOf(place);
        active.push([word0, word1, word2, word3, category, last]);
      }
    }
    this.#isUsed.fill(0);
    this.#size = 0;
    this.isSaturated = false;
    for (const note of active) this.note(...note);
  }

  #wordsOf(place: number): [number, number, number, number] {
    const at = place * WORDS;
    const words = this.#words;
    return [i32(words, at), i32(words, at + 1), i32(words, at + 2), i32(words, at + 3)];
  }
}
