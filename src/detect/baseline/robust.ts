// SPDX-License-Identifier: AGPL-3.0-or-later
import { f64 } from "../../util/typed.ts";

/** Samples the window holds: an hour of means of ten seconds. */
const SAMPLES = 360;
/** Seconds that one sample stands for. */
export const ROBUST_SAMPLE_SECONDS = 10;
const READY_SAMPLES = 60;
/** Samples between two sortings; the window moves by less than 2 % meanwhile. */
const SORT_EVERY = 6;
/** Turn a Gaussian's median absolute deviation and interquartile range into its standard deviation. */
const MAD_TO_SIGMA = 1.4826;
const IQR_TO_SIGMA = 1 / 1.349;
const DEVIATION_SHARE = 0.05;

/**
 * Median and median absolute deviation of the last hour: half of the window may be an attack without moving them.
 * Where more than half of the samples are equal, the deviation would be 0; the interquartile range, a share of the
 * standard deviation and an absolute floor stand in for it.
 */
export class RobustBaseline {
  readonly #floor: number;
  readonly #ring = new Float64Array(SAMPLES);
  readonly #sorted = new Float64Array(SAMPLES);
  #samples = 0;
  #unsorted = 0;
  #median = 0;
  #sigma = 0;

  /** `floor` is the smallest standard deviation, in the value's own unit; `phase` spreads the work of many. */
  constructor(floor: number, phase = 0) {
    this.#floor = floor;
    this.#unsorted = phase % SORT_EVERY;
  }

  get samples(): number {
    return Math.min(this.#samples, SAMPLES);
  }

  get ready(): boolean {
    return this.#samples >= READY_SAMPLES;
  }

  /** The median. */
  get mean(): number {
    return this.#median;
  }

  /** What would be the standard deviation of a Gaussian of the same spread. */
  get stddev(): number {
    return this.#sigma;
  }

  /** Scores a finite sample, then learns it if `learn`; 0 until ready. */
  observe(value: number, learn: boolean): number {
    const score = this.ready ? (value - this.#median) / Math.max(this.#sigma, this.#floor) : 0;
    if (!learn) return score;
    this.#ring[this.#samples % SAMPLES] = value;
    this.#samples = this.#samples >= 2 * SAMPLES ? this.#samples - SAMPLES + 1 : this.#samples + 1;
    this.#unsorted++;
    if (this.#unsorted >= SORT_EVERY || this.#samples <= READY_SAMPLES) this.#sort();
    return score;
  }

  /** The window, oldest sample first, for the state file. */
  remember(): number[] {
    const oldest = this.#samples < SAMPLES ? 0 : this.#samples % SAMPLES;
    const window = this.#ring.subarray(0, this.samples);
    return [...window.subarray(oldest), ...window.subarray(0, oldest)];
  }

  #sort(): void {
    this.#unsorted = 0;
    const window = this.#sorted.subarray(0, this.samples);
    window.set(this.#ring.subarray(0, this.samples));
    window.sort();
    this.#median = quantile(window, 0.5);
    const range = quantile(window, 0.75) - quantile(window, 0.25);
    const deviation = standardDeviation(window);
    for (let at = 0; at < window.length; at++) {
      window[at] = Math.abs(f64(window, at) - this.#median);
    }
    window.sort();
    const spread = MAD_TO_SIGMA * quantile(window, 0.5);
    const instead = Math.max(IQR_TO_SIGMA * range, DEVIATION_SHARE * deviation);
    this.#sigma = Math.max(spread > 0 ? spread : instead, this.#floor);
  }
}

function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = f64(sorted, Math.floor(at));
  return below + (at - Math.floor(at)) * (f64(sorted, Math.ceil(at)) - below);
}

function standardDeviation(values: Float64Array): number {
  let mean = 0;
  for (let at = 0; at < values.length; at++) mean += (f64(values, at) - mean) / (at + 1);
  let squares = 0;
  for (let at = 0; at < values.length; at++) squares += (f64(values, at) - mean) ** 2;
  return Math.sqrt(squares / values.length);
}
