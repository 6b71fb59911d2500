// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { mean, standardDeviation } from "simple-statistics";
import { describe, expect, it } from "vitest";
import { GuardedEwma } from "../../src/detect/baseline/guarded-ewma.ts";
import {
  ROLLING_READY_SAMPLES,
  ROLLING_SAMPLES,
  RollingBaseline,
} from "../../src/detect/baseline/rolling.ts";
import { logScale, RATIO_SCALE } from "../../src/detect/baseline/scale.ts";
import { Signal } from "../../src/detect/baseline/signal.ts";

const LIMITS = { warmupSamples: 600, freezeSamples: 1800 };
const PACKETS = { name: "s", unit: "packets", protocol: "all" };

function learned(values: readonly number[]): RollingBaseline {
  const baseline = new RollingBaseline();
  for (const value of values) baseline.learn(value);
  return baseline;
}

/** Within a billionth of the numbers that went in: what is left when a large outlier has gone. */
function expectClose(actual: number, expected: number, magnitude: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.max(magnitude, 1e-300));
}

describe("rolling baseline", () => {
  it("equals simple-statistics over the last 300 samples, for any series", () => {
    const value = fc.oneof(
      fc.double({ min: 0, max: 1e15, noNaN: true }),
      fc.integer({ min: 0, max: 1000 }),
      fc.constant(0),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 900 }), (values) => {
        const baseline = learned(values);
        const window = values.slice(-ROLLING_SAMPLES);
        const magnitude = Math.max(...window);
        expectClose(baseline.mean, mean(window), magnitude);
        expectClose(baseline.stddev, standardDeviation(window), magnitude * 1e-3 + 1e-6);
      }),
      { numRuns: 200 },
    );
  });

  it("is exact again as soon as a huge outlier has left the window", () => {
    const quiet = Array.from({ length: ROLLING_SAMPLES }, (_, at) => 100 + (at % 3));
    const baseline = learned([1e15, ...quiet.slice(1), 100]);
    const window = [...quiet.slice(1), 100];
    expect(baseline.mean).toBeCloseTo(mean(window), 9);
    expect(baseline.stddev).toBeCloseTo(standardDeviation(window), 9);
  });

  it("does not count a value among those it is judged by", () => {
    const baseline = learned(Array.from({ length: 300 }, (_, at) => 100 + (at % 2) * 20));
    const before = { mean: baseline.mean, stddev: baseline.stddev };
    const z = baseline.score(200, 1);
    expect(z).toBeCloseTo((200 - before.mean) / before.stddev, 12);
    baseline.learn(200);
    expect(baseline.score(200, 1)).toBeLessThan(z);
  });

  it("is ready after 60 samples and scores 0 until then", () => {
    const baseline = learned(Array.from({ length: ROLLING_READY_SAMPLES - 1 }, () => 5));
    expect([baseline.ready, baseline.score(1e6, 1)]).toEqual([false, 0]);
    baseline.learn(5);
    expect([baseline.ready, baseline.score(1e6, 1) > 0]).toEqual([true, true]);
  });

  it("never divides by less than 1 per second or 1 % of the mean", () => {
    const still = learned(Array.from({ length: 300 }, () => 0));
    expect(still.score(7, 1)).toBe(7);
    const steady = learned(Array.from({ length: 300 }, () => 1000));
    expect(steady.score(1050, 1)).toBe(5);
  });
});

describe("guarded EWMA", () => {
  function scores(
    values: readonly number[],
    ewma = new GuardedEwma(LIMITS, logScale(1)),
  ): number[] {
    return values.map((value) => ewma.observe(value, true));
  }
  const steady = (length: number, value: number): number[] =>
    Array.from({ length }, (_, at) => value + (at % 5));

  it("learns unclipped during warm-up and judges nothing", () => {
    const ewma = new GuardedEwma(LIMITS, logScale(1));
    expect(scores([...steady(300, 10), ...steady(299, 1000)], ewma).every((z) => z === 0)).toBe(
      true,
    );
    expect(ewma.ready).toBe(false);
    ewma.observe(1000, true);
    expect(ewma.ready).toBe(true);
    expect(ewma.mean).toBeGreaterThan(50);
  });

  it("lets a constant zero that bursts be abnormal for the freeze, then takes it for normal", () => {
    const ewma = new GuardedEwma(LIMITS, logScale(1));
    scores(
      Array.from({ length: 600 }, () => 0),
      ewma,
    );
    const burst = Array.from({ length: 2400 }, (_, at) => 90 + (at % 21));
    let shiftedAt = -1;
    const z = burst.map((value, at) => {
      const score = ewma.observe(value, true);
      if (ewma.shiftSamples > 0) shiftedAt = at;
      return score;
    });
    expect(Math.max(...z)).toBeLessThan(40);
    expect(z.findIndex((score) => score > 6)).toBeLessThan(3);
    expect(shiftedAt).toBeGreaterThan(1790);
    expect(shiftedAt).toBeLessThan(1810);
    expect(z.slice(shiftedAt + 1).every((score) => Math.abs(score) < 2)).toBe(true);
    expect(ewma.mean).toBeGreaterThan(80);
    expect(ewma.mean).toBeLessThan(120);
  });

  it("keeps its level while an attack lasts, and is quiet right after it", () => {
    const ewma = new GuardedEwma(LIMITS, logScale(1));
    scores(steady(700, 100), ewma);
    const before = ewma.mean;
    const during = scores(steady(300, 5000), ewma);
    expect(Math.min(...during.slice(10))).toBeGreaterThan(6);
    expect(ewma.mean).toBeCloseTo(before, 6);
    expect(Math.abs(scores(steady(30, 100), ewma).at(-1) ?? 99)).toBeLessThan(2);
  });

  it("does not start the freeze over when the deviation dips for a moment", () => {
    const ewma = new GuardedEwma(LIMITS, logScale(1));
    scores(steady(700, 0), ewma);
    let shifts = 0;
    for (let at = 0; at < 2400; at++) {
      ewma.observe(at % 300 < 12 ? 0 : 500, true);
      if (ewma.shiftSamples > 0) shifts++;
    }
    expect(shifts).toBe(1);
  });

  it("follows a slow ramp without an alarm", () => {
    const ewma = new GuardedEwma(LIMITS, logScale(1));
    const ramp = Array.from({ length: 7200 }, (_, at) => 100 + at / 40);
    expect(Math.max(...scores(ramp, ewma))).toBeLessThan(5);
  });

  it("judges shares of a whole on their own scale", () => {
    const ewma = new GuardedEwma(LIMITS, RATIO_SCALE);
    scores(
      Array.from({ length: 700 }, (_, at) => 0.5 + (at % 2) / 100),
      ewma,
    );
    expect(
      scores(
        Array.from({ length: 20 }, () => 0.52),
        ewma,
      ).at(-1),
    ).toBeLessThan(1);
    expect(
      scores(
        Array.from({ length: 20 }, () => 0.8),
        ewma,
      ).at(-1),
    ).toBeGreaterThan(6);
  });
});

describe("signal", () => {
  it("never lets NaN or Infinity out, whatever goes in", () => {
    const value = fc.oneof(
      fc.double(),
      fc.constantFrom(0, -0, 1e308, -1, Number.NaN, Number.POSITIVE_INFINITY, 5e-324),
    );
    const seconds = fc.oneof(fc.constantFrom(0, 1, 1, 1, 2, 1e9), fc.double({ min: 0, max: 10 }));
    const step = fc.tuple(value, seconds, fc.boolean(), fc.integer({ min: 1, max: 120 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const signal = new Signal(PACKETS, { warmupSamples: 60, freezeSamples: 60 });
        for (const [sample, length, learn, times] of steps) {
          for (let repeat = 0; repeat < times; repeat++)
            signal.observe(sample, { seconds: length, timeMs: 0, learn: learn });
          for (const state of signal.states) {
            const { value: last, mean: level, stddev, z } = state;
            expect([last, level, stddev, z].every(Number.isFinite), JSON.stringify(state)).toBe(
              true,
            );
            expect(stddev).toBeGreaterThanOrEqual(0);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it("takes a window of two seconds for two samples, and a scrap of one for none", () => {
    const signal = new Signal(PACKETS, LIMITS);
    signal.observe(10, { seconds: 2, timeMs: 0, learn: true });
    signal.observe(1e6, { seconds: 0.2, timeMs: 0, learn: true });
    const [rolling, ewma] = signal.states;
    expect([rolling.samples, rolling.mean, ewma.samples]).toEqual([2, 10, 2]);
  });

  it("scores, but does not learn, what may not be believed", () => {
    const signal = new Signal(PACKETS, LIMITS);
    for (let at = 0; at < 700; at++) signal.observe(100, { seconds: 1, timeMs: 0, learn: true });
    signal.observe(5000, { seconds: 1, timeMs: 0, learn: false });
    const [rolling, ewma] = signal.states;
    expect([rolling.mean, rolling.samples, ewma.samples]).toEqual([100, 300, 700]);
    expect(rolling.z).toBeGreaterThan(1000);
  });

  it("ignores what is not a rate", () => {
    const signal = new Signal(PACKETS, LIMITS);
    signal.observe(7, { seconds: 1, timeMs: 0, learn: true });
    signal.observe(-3, { seconds: 1, timeMs: 0, learn: true });
    signal.observe(Number.NaN, { seconds: 1, timeMs: 0, learn: true });
    expect(signal.states.slice(0, 2).map(({ value, samples }) => [value, samples])).toEqual([
      [7, 1],
      [7, 1],
    ]);
  });
});
