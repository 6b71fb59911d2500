// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { Signal } from "../../src/detect/baseline/signal.ts";
import { WeekAgo } from "../../src/detect/baseline/week-ago.ts";
import { drift } from "../../src/detect/drift.ts";
import { DetectionBench, randomOf } from "../support/detection-bench.ts";

const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;
/** Some midnight. */
const FIRST_MS = 2900 * WEEK_MS;
const DAY_TICKS = 1440;
const random = randomOf(8);

describe("a copy of a level a week late", () => {
  const copy = (): WeekAgo => {
    const week = new WeekAgo();
    for (let hour = 1; hour <= 168; hour++) week.observe(hour, FIRST_MS + hour * HOUR_MS);
    return week;
  };

  it("is not known in the first week, and is of the same hour then", () => {
    const week = copy();
    expect(week.level).toBe(null);
    week.observe(1000, FIRST_MS + 169 * HOUR_MS);
    expect(week.level).toBe(1);
    week.observe(2000, FIRST_MS + 169 * HOUR_MS + 1);
    expect(week.level).toBe(1);
    week.observe(3000, FIRST_MS + 170 * HOUR_MS);
    expect(week.level).toBe(2);
  });

  it("is not known again after two weeks without a sample, nor after a leap of the clock", () => {
    const week = copy();
    week.observe(1, FIRST_MS + 3 * WEEK_MS + HOUR_MS);
    expect(week.level).toBe(null);
    const leapt = copy();
    leapt.observe(1, FIRST_MS + 3 * HOUR_MS);
    expect(leapt.level).toBe(null);
  });

  it("is of a baseline that is ready", () => {
    const identity = { name: "test", unit: "packets", protocol: "all" };
    const signal = new Signal(identity, { warmupSamples: 600, freezeSamples: 1800 });
    const observe = (samples: number): void => {
      for (let at = 0; at < samples; at++) {
        signal.observe(100, { seconds: 1, timeMs: FIRST_MS + HOUR_MS, learn: true });
      }
    };
    observe(599);
    expect(signal.remember().week).toEqual([]);
    observe(1);
    expect(signal.remember().week).toHaveLength(1);
  });

  it("goes on from what it remembers", () => {
    const week = new WeekAgo();
    week.recall(JSON.parse(JSON.stringify(copy().remember())));
    week.observe(1000, FIRST_MS + 200 * HOUR_MS);
    expect(week.level).toBe(32);
  });
});

describe("drift against a week ago", () => {
  /** Days of minutes; `factor` by the day, a fraction of it counted. */
  const days = (bench: DetectionBench, number: number, factor: (day: number) => number): void => {
    bench.run(number * DAY_TICKS, (at) => ({
      seconds: 60,
      packets: { p0: 60 * factor(at / DAY_TICKS) * (90 + 20 * random()) },
    }));
  };
  const opened = (bench: DetectionBench) => bench.events.filter(({ state }) => state === "open");

  it("tells once of a poison so slow that every baseline follows it", () => {
    const bench = new DetectionBench({ detectors: [drift], protocols: 1 });
    days(bench, 12, (day) => 1.2 ** day);
    expect(opened(bench)).toMatchObject([
      {
        entity: { key: "test_p0" },
        threshold: { value: 3, setting: "detectors.drift.week_ratio" },
        window_s: 6 * 3600,
      },
    ]);
    expect(opened(bench)[0]?.explanation).toContain("a week ago");
  });

  it("does not tell of growth, nor of days and nights", () => {
    const growth = new DetectionBench({ detectors: [drift], protocols: 1 });
    days(growth, 12, (day) => 1.1 ** day);
    expect(opened(growth)).toEqual([]);
    const seasons = new DetectionBench({
      detectors: [drift],
      protocols: 1,
      settings: { drift: { limit: 1e5 } },
    });
    days(seasons, 12, (day) => (Math.floor(4 * day) % 4 < 2 ? 1 : 8));
    expect(opened(seasons)).toEqual([]);
  });

  it("knows last week after a restart", () => {
    const settings = { drift: { limit: 1e5 } };
    const before = new DetectionBench({ detectors: [drift], protocols: 1, settings });
    days(before, 7, () => 1);
    const after = new DetectionBench({
      detectors: [drift],
      protocols: 1,
      settings,
      startMs: before.timeMs,
    });
    after.engine.recall(JSON.parse(JSON.stringify(before.engine.remember())), false);
    days(after, 1, () => 4);
    expect(opened(after)).toMatchObject([{ threshold: { setting: "detectors.drift.week_ratio" } }]);
  });
});
