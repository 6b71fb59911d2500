// SPDX-License-Identifier: AGPL-3.0-or-later
import { Cusum } from "./baseline/cusum.ts";
import { RollUp } from "./baseline/roll-up.ts";
import { spreadFloor } from "./baseline/scale.ts";

/** As in the settings of `drift`. */
export interface MinuteSettings {
  readonly limit: number;
  readonly slack: number;
}

/** Deviations are judged in natural logarithms of rates: this is a quarter more or less. */
const SIGMA_FLOOR = 0.25;
export const MINUTE = 60;
/** Time constants of the reference and of its spread: a day, in minutes. */
const SPREAD_RATE = 1 / 1440;
const REFERENCE_RATE = 1 / 1440;
const READY_MINUTES = 120;
/** √(π/2): turns the mean absolute deviation of a Gaussian into its standard deviation. */
const DEVIATION_TO_SIGMA = Math.sqrt(Math.PI / 2);
const WINSOR = 4;

/** One signal's minutes against a reference that takes a day to follow. */
export class Minutes {
  readonly rollUp = new RollUp(MINUTE);
  readonly #cusum = new Cusum();
  #count = 0;
  #reference = 0;
  #deviation = 0;

  get samples(): number {
    return this.#count;
  }

  /** The reference in the signal's unit. */
  expected(unit: string): number {
    return Math.expm1(this.#reference) * spreadFloor(unit);
  }

  /** Takes a minute's mean; returns the sum where it passed the limit, which starts over from the new level. */
  add(mean: number, unit: string, own: MinuteSettings): number {
    const sample = Math.log1p(mean / spreadFloor(unit));
    const distance = this.#count === 0 ? 0 : sample - this.#reference;
    if (this.#count === 0) this.#reference = sample;
    this.#count++;
    const sigma = Math.max(DEVIATION_TO_SIGMA * this.#deviation, SIGMA_FLOOR);
    const warm = this.#count > READY_MINUTES;
    const score = Math.min(WINSOR, Math.max(-WINSOR, distance / sigma));
    const step = warm ? score * sigma : distance;
    this.#reference += Math.max(REFERENCE_RATE, 1 / this.#count) * step;
    this.#deviation += Math.max(SPREAD_RATE, 1 / this.#count) * (Math.abs(step) - this.#deviation);
    if (!warm) return 0;
    const sum = this.#cusum.add(score, own.slack);
    return Math.abs(sum) > own.limit ? sum : 0;
  }

  /** Takes the level of now for normal. */
  settle(mean: number, unit: string): void {
    this.#cusum.reset();
    this.#reference = Math.log1p(mean / spreadFloor(unit));
  }
}
