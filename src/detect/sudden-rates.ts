// SPDX-License-Identifier: AGPL-3.0-or-later
import { BoundedMap } from "./bounded-map.ts";
import { RecentSum } from "./recent-sum.ts";

/** Seconds that a rate is the mean of, and those before that it is held against. */
export const RATE_SECONDS = 10;
const BEFORE_SECONDS = 120;
/** So many times as much as before is no growth. */
const SUDDEN = 3;
/** What comes back within so long is the same rise. */
const LASTING_MS = 300_000;

interface Rate {
  readonly recent: RecentSum;
  readonly longer: RecentSum;
  suddenUntilMs: number;
}

/** Rates of many that rose at a stroke: a working day begins within half an hour, a flood within seconds. */
export class SuddenRates {
  readonly #rates: BoundedMap<Rate>;

  constructor(capacity: number) {
    this.#rates = new BoundedMap(capacity);
  }

  /**
   * Takes how often something happened in a tick; returns its rate a second, 0 where that is below the limit or was
   * reached little by little.
   */
  update(key: string, count: number, limit: number, elapsedMs: number): number {
    const state = this.#rates.use(key, () => ({
      recent: new RecentSum(RATE_SECONDS),
      longer: new RecentSum(BEFORE_SECONDS + RATE_SECONDS),
      suddenUntilMs: 0,
    }));
    const recent = state.recent.add(count, elapsedMs);
    const before = state.longer.add(count, elapsedMs) - recent;
    const rate = recent / RATE_SECONDS;
    // What was going on before the start looks as if it began then.
    if (rate < limit || elapsedMs <= BEFORE_SECONDS * 1000) return 0;
    const isSudden = rate >= (SUDDEN * before) / BEFORE_SECONDS;
    if (!isSudden && elapsedMs >= state.suddenUntilMs) return 0;
    state.suddenUntilMs = elapsedMs + LASTING_MS;
    return rate;
  }
}
