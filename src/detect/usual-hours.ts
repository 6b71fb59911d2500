// SPDX-License-Identifier: AGPL-3.0-or-later
import { median } from "simple-statistics";
import { z } from "../util/zod.ts";

const HOUR_MS = 3_600_000;
/** Hours that are remembered: those of which a value was told. */
const HOURS = 24;
/** So many of them, and so long since the first, show what is usual. */
const HOURS_TO_KNOW = 6;
/** 1.4826 median absolute deviations are a standard deviation, where values are normal. */
const MAD_TO_DEVIATION = 1.4826;
/** What varies by less than this share of itself is steady. */
const SHARE = 0.1;

/** What is kept of usual hours over a restart: how long they have been looked at, and the present hour's value, null without one. */
export const usualMemory = z.strictObject({
  ageMs: z.number().min(0),
  values: z.array(z.number()).max(HOURS),
  present: z.number().nullable(),
});
export type UsualMemory = z.infer<typeof usualMemory>;

/** A value for each of the last hours of which one was told, and how far another one is from these. */
export class UsualHours {
  readonly #values: number[] = [];
  #firstMs: number;
  #hour: number;
  #value = 0;
  #isTold = false;

  /** `elapsedMs`: when it began to be looked at. */
  constructor(elapsedMs: number) {
    this.#firstMs = elapsedMs;
    this.#hour = hourOf(elapsedMs);
  }

  /** Goes on from what another one remembered: the time between counts for nothing. */
  static recall({ ageMs, values, present }: UsualMemory, elapsedMs: number): UsualHours {
    const hours = new UsualHours(elapsedMs);
    hours.#firstMs = elapsedMs - ageMs;
    hours.#values.push(...values);
    if (present !== null) hours.add(present, elapsedMs);
    return hours;
  }

  remember(elapsedMs: number): UsualMemory {
    this.#turn(elapsedMs);
    return {
      ageMs: elapsedMs - this.#firstMs,
      values: [...this.#values],
      present: this.#isTold ? this.#value : null,
    };
  }

  /** The present hour's value grows by `amount`. */
  add(amount: number, elapsedMs: number): void {
    this.#turn(elapsedMs);
    this.#isTold = true;
    this.#value += amount;
  }

  /** The present hour's value is at least `value`. */
  raise(value: number, elapsedMs: number): void {
    this.#turn(elapsedMs);
    this.#isTold = true;
    this.#value = Math.max(this.#value, value);
  }

  /** True where hours enough were seen, within a time long enough, to say what is usual. */
  isKnown(elapsedMs: number, learnSeconds: number): boolean {
    this.#turn(elapsedMs);
    return this.#values.length >= HOURS_TO_KNOW && elapsedMs - this.#firstMs >= learnSeconds * 1000;
  }

  /** What an hour's value usually is. */
  get usual(): number {
    return this.#values.length === 0 ? 0 : median(this.#values);
  }

  /** Deviations that `value` is above the usual one; one of them is `floor` at least. The present hour does not count. */
  score(value: number, floor: number): number {
    return (value - this.usual) / this.deviation(floor);
  }

  /** A deviation of an hour's value from the usual one. */
  deviation(floor: number): number {
    const usual = this.usual;
    const distances = this.#values.map((one) => Math.abs(one - usual));
    const spread = distances.length === 0 ? 0 : MAD_TO_DEVIATION * median(distances);
    return Math.max(spread, SHARE * usual, floor);
  }

  #turn(elapsedMs: number): void {
    const hour = hourOf(elapsedMs);
    if (hour === this.#hour) return;
    if (this.#isTold) this.#values.push(this.#value);
    if (this.#values.length > HOURS) this.#values.shift();
    this.#hour = hour;
    this.#value = 0;
    this.#isTold = false;
  }
}

function hourOf(elapsedMs: number): number {
  return Math.floor(elapsedMs / HOUR_MS);
}
