// SPDX-License-Identifier: AGPL-3.0-or-later
import { f64, i32 } from "../../util/typed.ts";

const HOUR_MS = 3_600_000;
/** Hours of a week: the copy is of the same hour of the same weekday, so that no season is taken for a change. */
export const WEEK_HOURS = 168;

/**
 * A copy of a level, one week late. Whoever pushes a baseline so slowly that it follows cannot push what it was a
 * week ago.
 */
export class WeekAgo {
  readonly #levels = new Float64Array(WEEK_HOURS);
  /** Hour since 1970 that each level is of; 0 where there is none. */
  readonly #hours = new Int32Array(WEEK_HOURS);
  #hour = 0;
  #level: number | null = null;

  /** The level of one to two weeks ago at this hour of the week, null where it is not known. */
  get level(): number | null {
    return this.#level;
  }

  /** Takes the level of now, finite; once an hour it is kept. */
  observe(level: number, timeMs: number): void {
    const hour = Math.floor(timeMs / HOUR_MS);
    if (hour === this.#hour || hour <= 0) return;
    this.#hour = hour;
    const at = hour % WEEK_HOURS;
    const age = hour - i32(this.#hours, at);
    this.#level = age >= WEEK_HOURS && age <= 2 * WEEK_HOURS ? f64(this.#levels, at) : null;
    this.#levels[at] = level;
    this.#hours[at] = hour;
  }

  /** What is known, as pairs of an hour since 1970 and its level, for the state file. */
  remember(): [hour: number, level: number][] {
    const known: [number, number][] = [];
    for (let at = 0; at < WEEK_HOURS; at++) {
      const hour = i32(this.#hours, at);
      if (hour > 0) known.push([hour, f64(this.#levels, at)]);
    }
    return known;
  }

  recall(known: readonly (readonly [hour: number, level: number])[]): void {
    for (const [hour, level] of known) {
      this.#levels[hour % WEEK_HOURS] = level;
      this.#hours[hour % WEEK_HOURS] = hour;
    }
  }
}
