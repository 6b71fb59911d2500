// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../../util/typed.ts";
import { EntityTable } from "./entity-table.ts";

const ENTRY_WORDS = 2;

export interface RecentValuesOptions {
  /** Most owners of values: a power of two. */
  readonly capacity: number;
  readonly keyWords: number;
  /** Most values kept of an owner; the one silent for longest makes room. */
  readonly values: number;
  /** Seconds a value counts. */
  readonly seconds: number;
  readonly hashSeed: number;
  evicted(count: number): void;
}

/** Exact counts of the few distinct values, none of them 0, that each owner showed of late. */
export class RecentValues {
  readonly #table: EntityTable;
  readonly #words: number = 0;
  readonly #seconds: number = 0;

  constructor(options: RecentValuesOptions) {
    const { capacity, keyWords, hashSeed, evicted } = options;
    this.#words = options.values * ENTRY_WORDS;
    this.#seconds = options.seconds;
    this.#table = new EntityTable({
      ...{ capacity, keyWords, hashSeed, evicted },
      windowWords: 0,
      lifeWords: this.#words,
      idleMs: options.seconds * 1000,
    });
  }

  /** Where the caller writes an owner before `add`. */
  get owner(): Int32Array {
    return this.#table.key;
  }

  /** Adds a value to its owner's; returns how many distinct ones count now. */
  add(value: number, timeMs: number): number {
    const slot = this.#table.claim(timeMs);
    this.#table.weigh(slot, 1);
    const { rows } = this.#table;
    const first = this.#table.row(slot);
    const now = Math.trunc(timeMs / 1000) | 0;
    let place = first;
    let count = 1;
    for (let at = first; at < first + this.#words; at += ENTRY_WORDS) {
      if (i32(rows, at) === value) {
        place = at;
        continue;
      }
      if (this.#counts(at, now)) count++;
      const isOlder = ((i32(rows, at + 1) - i32(rows, place + 1)) | 0) < 0;
      if (isOlder && i32(rows, place) !== value) place = at;
    }
    rows[place] = value;
    rows[place + 1] = now;
    return Math.min(count, this.#words / ENTRY_WORDS);
  }

  /** Forgets owners that were silent for longer than values count. */
  endWindow(timeMs: number): void {
    this.#table.endWindow(timeMs);
  }

  #counts(at: number, now: number): boolean {
    const { rows } = this.#table;
    return i32(rows, at) !== 0 && ((now - i32(rows, at + 1)) | 0) < this.#seconds;
  }
}
