// SPDX-License-Identifier: AGPL-3.0-or-later
import { mean, variance } from "simple-statistics";
import { f64 } from "../../util/typed.ts";

/** Samples the window holds: 300 s of ticks. */
export const ROLLING_SAMPLES = 300;
/** Samples before the baseline is ready. */
export const ROLLING_READY_SAMPLES = 60;
/** The spread is never taken to be smaller than this share of the mean. */
const RELATIVE_FLOOR = 0.01;
/** A sum of squares that fell to this share of its peak has lost too many digits to go on from. */
const CANCELLATION = 1e-6;

/**
 * Mean and population standard deviation of the last 300 samples, updated in constant time (Welford, with the
 * outgoing sample taken back out) and recomputed exactly by simple-statistics once per window and whenever a
 * departing outlier would leave rounding errors behind.
 */
export class RollingBaseline {
  readonly #ring = new Float64Array(ROLLING_SAMPLES);
  #samples = 0;
  #next = 0;
  #mean = 0;
  #squares = 0;
  #peakSquares = 0;

  get samples(): number {
    return this.#samples;
  }

  get mean(): number {
    return this.#mean;
  }

  get stddev(): number {
    return this.#samples === 0 ? 0 : Math.sqrt(this.#squares / this.#samples);
  }

  get ready(): boolean {
    return this.#samples >= ROLLING_READY_SAMPLES;
  }

  /** Deviations of `value` from the window as it is, `value` itself not in it; 0 until ready. */
  score(value: number, floor: number): number {
    if (!this.ready) return 0;
    const scale = Math.max(this.stddev, RELATIVE_FLOOR * Math.abs(this.#mean), floor);
    return (value - this.#mean) / scale;
  }

  /** Takes a finite sample into the window. */
  learn(value: number): void {
    if (this.#samples < ROLLING_SAMPLES) this.#grow(value);
    else this.#slide(value);
    this.#ring[this.#next] = value;
    this.#next = (this.#next + 1) % ROLLING_SAMPLES;
    this.#peakSquares = Math.max(this.#peakSquares, this.#squares);
    if (this.#next === 0 || this.#squares < CANCELLATION * this.#peakSquares) this.#recompute();
  }

  /** The window, oldest sample first, for the state file. */
  remember(): number[] {
    const oldest = this.#samples < ROLLING_SAMPLES ? 0 : this.#next;
    const window = this.#ring.subarray(0, this.#samples);
    return [...window.subarray(oldest), ...window.subarray(0, oldest)];
  }

  #grow(value: number): void {
    this.#samples++;
    const distance = value - this.#mean;
    this.#mean += distance / this.#samples;
    this.#squares += distance * (value - this.#mean);
  }

  #slide(value: number): void {
    const leaving = f64(this.#ring, this.#next);
    const before = this.#mean;
    this.#mean += (value - leaving) / ROLLING_SAMPLES;
    this.#squares += (value - leaving) * (value - this.#mean + leaving - before);
  }

  #recompute(): void {
    const window = Array.from(this.#ring.subarray(0, this.#samples));
    this.#mean = mean(window);
    this.#squares = variance(window) * window.length;
    this.#peakSquares = this.#squares;
  }
}
