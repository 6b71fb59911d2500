// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { medianAbsoluteDeviation, median as medianOf } from "simple-statistics";
import { describe, expect, it } from "vitest";
import { Cusum } from "../../src/detect/baseline/cusum.ts";
import { RobustBaseline } from "../../src/detect/baseline/robust.ts";
import { RollUp } from "../../src/detect/baseline/roll-up.ts";
import { SEASONAL_READY_SAMPLES, SeasonalBaseline } from "../../src/detect/baseline/seasonal.ts";
import { randomOf } from "../support/detection-bench.ts";

const SAMPLE_MS = 300_000;
const DAY = 288;
/** Monday, midnight. */
const MONDAY_MS = Date.UTC(2026, 0, 5);

const anything = fc.oneof(
  fc.double({ min: 0, max: 1e15, noNaN: true }),
  fc.integer({ min: 0, max: 1000 }),
  fc.constant(0),
);

describe("robust baseline", () => {
  it("is the median and its absolute deviation, floored", () => {
    fc.assert(
      fc.property(fc.array(anything, { minLength: 1, maxLength: 60 }), (values) => {
        const baseline = new RobustBaseline(1);
        for (const value of values) baseline.observe(value, true);
        expect(baseline.mean).toBeCloseTo(medianOf(values), 3);
        expect(baseline.stddev).toBeGreaterThanOrEqual(
          1.4826 * medianAbsoluteDeviation(values) - 1,
        );
      }),
    );
  });

  it("does not move while a third of the hour is an attack", () => {
    const baseline = new RobustBaseline(1);
    for (let at = 0; at < 240; at++) baseline.observe(100 + (at % 5), true);
    for (let at = 0; at < 120; at++) baseline.observe(100_000, true);
    expect(baseline.mean).toBeLessThan(105);
    expect(baseline.observe(100_000, true)).toBeGreaterThan(10);
  });

  it("forgets what is older than an hour", () => {
    const baseline = new RobustBaseline(1);
    for (let at = 0; at < 1000; at++) baseline.observe(100, true);
    for (let at = 0; at < 370; at++) baseline.observe(7, true);
    expect([baseline.mean, baseline.samples]).toEqual([7, 360]);
  });
});

describe("seasonal baseline", () => {
  const random = randomOf(7);
  /** Busy days and quiet nights; on Sundays always quiet. */
  const usual = (at: number): number => {
    const hour = (at / 12) % 24;
    const sunday = Math.floor(at / DAY) % 7 === 6;
    return (hour >= 8 && hour < 18 && !sunday ? 1000 : 100) + 10 * random();
  };
  const watch = (baseline: SeasonalBaseline, days: number, from = 0): number[] =>
    Array.from({ length: days * DAY }, (_, at) =>
      baseline.observe(usual(from * DAY + at), MONDAY_MS + (from * DAY + at) * SAMPLE_MS, true),
    );

  it("judges nothing on the first day", () => {
    const baseline = new SeasonalBaseline(1);
    for (let at = 0; at < SEASONAL_READY_SAMPLES; at++) {
      expect(baseline.observe(at === 200 ? 1e9 : 5, at * SAMPLE_MS, true)).toBe(0);
    }
    expect(baseline.ready).toBe(true);
  });

  it("knows the day after a few of them: day at night is abnormal, day by day is not", () => {
    const baseline = new SeasonalBaseline(1);
    watch(baseline, 6);
    const night = MONDAY_MS + 8 * DAY * SAMPLE_MS + 3 * 3_600_000;
    expect(baseline.expect(night)).toBeLessThan(300);
    expect(baseline.expect(night + 9 * 3_600_000)).toBeGreaterThan(800);
  });

  it("knows the hour of the week after four weeks", () => {
    const baseline = new SeasonalBaseline(1);
    watch(baseline, 35);
    const sundayNoon = MONDAY_MS + 41 * DAY * SAMPLE_MS + 12 * 3_600_000;
    expect(baseline.expect(sundayNoon)).toBeLessThan(400);
    expect(baseline.expect(sundayNoon + 24 * 3_600_000)).toBeGreaterThan(800);
  });

  it("goes on from what it remembers", () => {
    const one = new SeasonalBaseline(1);
    watch(one, 5);
    const two = new SeasonalBaseline(1);
    two.recall(JSON.parse(JSON.stringify(one.remember())));
    const at = MONDAY_MS + 5 * DAY * SAMPLE_MS;
    expect(two.observe(5000, at, true)).toBe(one.observe(5000, at, true));
  });

  it("never lets NaN or Infinity out, whatever goes in and whenever", () => {
    const step = fc.tuple(anything, fc.integer({ min: -1e13, max: 1e13 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { minLength: 290, maxLength: 400 }), (steps) => {
        const baseline = new SeasonalBaseline(1);
        for (const [value, timeMs, learn] of steps) {
          const score = baseline.observe(value, timeMs, learn);
          const { mean, stddev } = baseline;
          expect([score, mean, stddev].every(Number.isFinite)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("CUSUM", () => {
  it("adds up what points one way, and forgets what does not", () => {
    const cusum = new Cusum();
    for (let at = 0; at < 1000; at++) cusum.add(at % 2 === 0 ? 2 : -2, 1);
    expect(Math.abs(cusum.sum)).toBeLessThanOrEqual(1);
    cusum.reset();
    for (let at = 0; at < 10; at++) cusum.add(-3, 1);
    expect(cusum.sum).toBe(-20);
  });

  it("stays finite", () => {
    const score = fc.double({ noNaN: true, min: -1e300, max: 1e300 });
    fc.assert(
      fc.property(fc.array(score), (scores) => {
        const cusum = new Cusum();
        for (const each of scores) expect(Number.isFinite(cusum.add(each, 1))).toBe(true);
      }),
    );
  });
});

describe("roll-up", () => {
  it("weighs values by how long they were true, and remembers a doubt", () => {
    const rollUp = new RollUp(60);
    expect(rollUp.add(10, 30, true)).toBe(false);
    expect(rollUp.add(40, 30, false)).toBe(true);
    expect(rollUp.take()).toEqual({ mean: 25, clean: false });
    expect(rollUp.add(5, 60, true)).toBe(true);
    expect(rollUp.take()).toEqual({ mean: 5, clean: true });
  });
});
