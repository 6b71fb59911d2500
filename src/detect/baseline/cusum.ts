// SPDX-License-Identifier: AGPL-3.0-or-later

/** What one side of a sum is cut to: far above any limit, and finite whatever comes. */
const LARGEST = 1e6;

/**
 * Two-sided cumulative sum of standardised deviations (Page 1954): small deviations that point the same way add up,
 * large ones that change sign do not. `slack` standard deviations a sample are forgiven.
 */
export class Cusum {
  #above = 0;
  #below = 0;

  /** Surplus so far, in standard deviations: positive upwards, negative downwards, 0 where neither grew. */
  get sum(): number {
    return this.#above >= this.#below ? this.#above : -this.#below;
  }

  /** Takes a finite deviation; returns the sum. */
  add(score: number, slack: number): number {
    this.#above = Math.min(LARGEST, Math.max(0, this.#above + score - slack));
    this.#below = Math.min(LARGEST, Math.max(0, this.#below - score - slack));
    return this.sum;
  }

  reset(): void {
    this.#above = 0;
    this.#below = 0;
  }
}
