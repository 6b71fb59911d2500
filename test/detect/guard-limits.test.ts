// SPDX-License-Identifier: AGPL-3.0-or-later
// Guards that show in a limit only: what is learned is cut, what is doubtful is not learned, what is over stays over.
import { describe, expect, it } from "vitest";
import { GuardedEwma } from "../../src/detect/baseline/guarded-ewma.ts";
import { RobustBaseline } from "../../src/detect/baseline/robust.ts";
import { logScale } from "../../src/detect/baseline/scale.ts";
import { SeasonalBaseline } from "../../src/detect/baseline/seasonal.ts";
import { Signal } from "../../src/detect/baseline/signal.ts";
import { drift } from "../../src/detect/drift.ts";
import { Hysteresis } from "../../src/detect/guards.ts";
import { Outage } from "../../src/detect/outage.ts";
import { DetectionBench } from "../support/detection-bench.ts";
import { contactRow, drops } from "../support/windows.ts";

const LIMITS = { warmupSamples: 600, freezeSamples: 1800 };

function steady(ewma: GuardedEwma): void {
  for (let at = 0; at < 700; at++) ewma.observe(100 + (at % 5), true);
}

describe("what is learned", () => {
  it("is cut to four standard deviations", () => {
    const [near, far] = [0, 1].map(() => new GuardedEwma(LIMITS, logScale(1), 1));
    if (!near || !far) throw new Error("no baselines");
    for (const ewma of [near, far]) steady(ewma);
    const level = Math.log1p(far.mean);
    // 0.15 is the floor of the spread: 4 and 4.9 deviations above the level.
    near.observe(Math.expm1(level + 4 * 0.15), true);
    far.observe(Math.expm1(level + 4.9 * 0.15), true);
    expect(far.mean).toBeCloseTo(near.mean, 9);
  });

  it("of a season is cut as well", () => {
    const learned = [1e4, 1e9].map((spike) => {
      const baseline = new SeasonalBaseline(1);
      for (let at = 0; at < 400; at++) baseline.observe(100 + (at % 3), at * 300_000, true);
      baseline.observe(spike, 400 * 300_000, true);
      return baseline.expect(401 * 300_000);
    });
    expect(learned[1]).toBeCloseTo(learned[0] ?? 0, 6);
  });

  it("never makes a spread smaller than its floor", () => {
    const baseline = new RobustBaseline(1);
    for (let at = 0; at < 100; at++) baseline.observe(5, true);
    expect(baseline.stddev).toBe(1);
  });

  it("by the slow baselines is not what was seen while packets were lost", () => {
    const signal = new Signal({ name: "s", unit: "packets", protocol: "all" }, LIMITS);
    for (let at = 0; at < 700; at++) signal.observe(9, { seconds: 1, timeMs: 0, learn: at >= 350 });
    const [, , robust] = signal.states;
    expect(robust.samples).toBeLessThanOrEqual(36);
  });

  it("by drift is not, either", () => {
    const lossy = { capture: { received: 1000, dropped: drops({ kernel: 500 }) } };
    const bench = new DetectionBench({ detectors: [drift], protocols: 1 });
    bench.run(180, { seconds: 60, packets: { p0: 6000 } });
    bench.run(300, { ...lossy, seconds: 60, packets: { p0: 60 } });
    expect(bench.events).toEqual([]);
  });
});

describe("a freeze", () => {
  it("is not paid back by a single normal sample", () => {
    const ewma = new GuardedEwma({ warmupSamples: 60, freezeSamples: 300 }, logScale(1), 1);
    for (let at = 0; at < 100; at++) ewma.observe(10, true);
    let shifts = 0;
    for (let at = 0; at < 400; at++) {
      ewma.observe(at % 50 === 49 ? 10 : 5000, true);
      if (ewma.shiftSamples > 0) shifts++;
    }
    expect(shifts).toBe(1);
  });
});

describe("hysteresis", () => {
  it.each([
    ["three in a row", [7, 7, 7], true],
    ["3 of 5, apart", [7, 4, 7, 4, 7], true],
    ["2 of 5", [4, 7, 4, 4, 7], false],
    ["3 of 7", [7, 4, 4, 7, 4, 4, 7], false],
    ["3 of 5 of which the last is below the lower limit", [7, 7, 4, 7, 2], false],
  ])("judges: %s", (_, scores, expected) => {
    const hysteresis = new Hysteresis();
    expect(scores.map((score) => hysteresis.update(score, 6, 3)).at(-1)).toBe(expected);
  });

  it("stays on until the score is below the lower limit", () => {
    const hysteresis = new Hysteresis();
    for (let at = 0; at < 3; at++) hysteresis.update(7, 6, 3);
    expect(hysteresis.update(4, 6, 3)).toBe(true);
    expect(hysteresis.update(2, 6, 3)).toBe(false);
  });
});

describe("an outage of the uplink", () => {
  const silent = [contactRow({ contacts: 9, unanswered: 9 })];
  const answered = [contactRow({ contacts: 9, successes: 9 })];
  const lastsAfter = (...sources: (readonly (typeof silent)[number][])[]): boolean => {
    const outage = new Outage();
    for (const [at, rows] of sources.entries()) outage.add(`10.0.0.${at}`, rows);
    outage.advance(1000);
    return outage.lasts;
  };

  it("is silence for three home sources, and not for two among others that are answered", () => {
    expect(lastsAfter(silent, silent, silent)).toBe(true);
    expect(lastsAfter(silent, silent)).toBe(false);
    expect(lastsAfter(silent, silent, silent, answered, answered, answered)).toBe(false);
  });
});
