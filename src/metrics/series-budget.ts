// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "./metric.ts";

/** Time series of the pipeline at most before it has seen any traffic; those of the host, its interfaces and channels come on top. */
export const SERIES_AT_REST = 3_000;
/** Time series it exposes at most, whatever the traffic does: those at rest, and all that may appear. */
export const DEFAULT_SERIES_BUDGET = 4_500;

/** Time series that one label set of a family stands for: a histogram's buckets, +Inf, sum and count. */
export function seriesPerLabelSet({ type, buckets }: MetricDefinition): number {
  return type === "histogram" ? (buckets?.length ?? 0) + 3 : 1;
}

/** Hands out places for time series; what does not fit is counted and must not be exposed. */
export class SeriesBudget {
  readonly #limit: number;
  #used = 0;
  #refused = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** True when `count` more series fit; they are then taken. */
  take(count: number): boolean {
    if (this.#used + count > this.#limit) return this.refuse(count);
    this.#used += count;
    return true;
  }

  release(count: number): void {
    this.#used -= count;
  }

  /** Counts series that are not exposed for another reason than their number. */
  refuse(count: number): false {
    this.#refused += count;
    return false;
  }

  /** Series turned away so far, counted each time one was asked for. */
  get refused(): number {
    return this.#refused;
  }
}
