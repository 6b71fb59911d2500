// SPDX-License-Identifier: AGPL-3.0-or-later
import { f64, i32 } from "../../util/typed.ts";
import type { SignalMemory } from "./memory.ts";

/** Seconds that one sample stands for: the mean of five minutes. */
export const SEASONAL_SAMPLE_SECONDS = 300;
const DAY_BUCKETS = 48;
const WEEK_BUCKETS = 168;
const HALF_HOUR_MS = 1_800_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** 1970 began on a Thursday; weeks are counted from Monday. */
const MONDAY_MS = 3 * DAY_MS;
/** A bucket says nothing until it was seen on this many days (or weeks). */
const BUCKET_VISITS = 3;
const LEVEL_RATE = 0.005;
const SEASON_RATE = 0.3;
const SPREAD_RATE = 0.003;
/** Samples before anything is judged: one day. */
export const SEASONAL_READY_SAMPLES = 288;
/** The level and the seasons learn at most this many standard deviations from one sample. */
const WINSOR = 6;
/** The spread is never taken to be smaller than this share of the level. */
const RELATIVE_FLOOR = 0.01;

/** One season: what each bucket of it adds to the level. */
class Season {
  readonly offsets: Float64Array;
  readonly visits: Int32Array;
  readonly #bucketMs: number;
  #lastBucket = -1;

  constructor(buckets: number, bucketMs: number) {
    this.offsets = new Float64Array(buckets);
    this.visits = new Int32Array(buckets);
    this.#bucketMs = bucketMs;
  }

  bucket(timeMs: number): number {
    const buckets = this.offsets.length;
    const at = Math.floor((timeMs + MONDAY_MS) / this.#bucketMs) % buckets;
    return at < 0 ? at + buckets : at;
  }

  known(bucket: number): boolean {
    return i32(this.visits, bucket) > BUCKET_VISITS;
  }

  visit(bucket: number): void {
    if (bucket === this.#lastBucket) return;
    this.#lastBucket = bucket;
    this.visits[bucket] = Math.min(i32(this.visits, bucket) + 1, 1 << 20);
  }

  learn(bucket: number, offset: number): void {
    const before = f64(this.offsets, bucket);
    this.offsets[bucket] = before + SEASON_RATE * (offset - before);
  }
}

/**
 * What is normal at this time of day, and at this hour of the week once that was seen three times: a slow level, an
 * offset for each bucket, and the spread of what is left. Samples are means of five minutes. Buckets are of UTC, so a
 * change to summer time moves local habits by one hour until they are learned again.
 */
export class SeasonalBaseline {
  readonly #floor: number;
  readonly #day = new Season(DAY_BUCKETS, HALF_HOUR_MS);
  readonly #week = new Season(WEEK_BUCKETS, HOUR_MS);
  #samples = 0;
  #level = 0;
  #variance = 0;
  #expected = 0;

  /** `floor` is the smallest standard deviation, in the value's own unit. */
  constructor(floor: number) {
    this.#floor = floor;
  }

  get samples(): number {
    return this.#samples;
  }

  get ready(): boolean {
    return this.#samples >= SEASONAL_READY_SAMPLES;
  }

  /** What was expected of the last sample. */
  get mean(): number {
    return this.#expected;
  }

  get stddev(): number {
    return Math.max(Math.sqrt(this.#variance), RELATIVE_FLOOR * Math.abs(this.#level), this.#floor);
  }

  /** What is expected at a time; the level alone while that time of day is not known yet. */
  expect(timeMs: number): number {
    const hour = this.#week.bucket(timeMs);
    if (this.#week.known(hour)) return this.#level + f64(this.#week.offsets, hour);
    const bucket = this.#day.bucket(timeMs);
    return this.#level + (this.#day.known(bucket) ? f64(this.#day.offsets, bucket) : 0);
  }

  /** Scores a finite sample, then learns it if `learn`; 0 until a day has been seen. */
  observe(value: number, timeMs: number, learn: boolean): number {
    if (this.#samples === 0) this.#level = value;
    if (learn) {
      this.#day.visit(this.#day.bucket(timeMs));
      this.#week.visit(this.#week.bucket(timeMs));
    }
    this.#expected = this.expect(timeMs);
    const residual = value - this.#expected;
    const spread = this.stddev;
    const score = this.ready ? residual / spread : 0;
    if (learn) this.#learn(value, residual, spread, timeMs);
    return score;
  }

  /** For the state file. */
  remember(): SignalMemory["seasonal"] {
    return {
      samples: this.#samples,
      level: this.#level,
      variance: this.#variance,
      day: [...this.#day.offsets],
      dayVisits: [...this.#day.visits],
      week: [...this.#week.offsets],
      weekVisits: [...this.#week.visits],
    };
  }

  recall(memory: SignalMemory["seasonal"]): void {
    this.#samples = memory.samples;
    this.#level = memory.level;
    this.#variance = memory.variance;
    this.#day.offsets.set(memory.day);
    this.#day.visits.set(memory.dayVisits);
    this.#week.offsets.set(memory.week);
    this.#week.visits.set(memory.weekVisits);
  }

  /**
   * Level and seasons learn a bounded step, so that an attack does not become normal. The spread learns all of it: a
   * bounded one would leave a series that found a new level in alarm for good.
   */
  #learn(value: number, residual: number, spread: number, timeMs: number): void {
    const bound = this.ready ? WINSOR * spread : Number.POSITIVE_INFINITY;
    const step = Math.min(bound, Math.max(-bound, residual));
    const believed = value - residual + step;
    this.#samples++;
    const rate = Math.max(SPREAD_RATE, 1 / this.#samples);
    this.#variance = (1 - rate) * (this.#variance + rate * residual * residual);
    this.#level += LEVEL_RATE * step;
    this.#day.learn(this.#day.bucket(timeMs), believed - this.#level);
    this.#week.learn(this.#week.bucket(timeMs), believed - this.#level);
  }
}
