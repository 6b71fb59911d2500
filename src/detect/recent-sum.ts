// SPDX-License-Identifier: AGPL-3.0-or-later

const SPANS = 6;

/** Sums what was counted in the last `seconds`, in six spans of which the oldest is forgotten as a whole. */
export class RecentSum {
  readonly #spanMs: number;
  readonly #counts = new Float64Array(SPANS);
  #span = 0;

  constructor(seconds: number) {
    this.#spanMs = (seconds * 1000) / (SPANS - 1);
  }

  /** Adds to the present span; returns the sum of all. */
  add(amount: number, elapsedMs: number): number {
    const span = Math.floor(elapsedMs / this.#spanMs);
    const passed = Math.min(span - this.#span, SPANS);
    for (let i = 1; i <= passed; i++) this.#counts[(this.#span + i) % SPANS] = 0;
    if (passed > 0) this.#span = span;
    const at = this.#span % SPANS;
    this.#counts[at] = (this.#counts[at] ?? 0) + amount;
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }
}
