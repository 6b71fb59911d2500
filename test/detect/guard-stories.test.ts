// SPDX-License-Identifier: AGPL-3.0-or-later
// What tries to fool a baseline: poisoning, cold starts, gaps, and a level that stays.
import { describe, expect, it } from "vitest";
import { drift } from "../../src/detect/drift.ts";
import { DetectionBench, randomOf, type Step } from "../support/detection-bench.ts";

const random = randomOf(5);

function load(factor: number): Step {
  return { packets: { p0: factor * (90 + 20 * random()), p1: 90 + 20 * random() } };
}

/** Windows of ten seconds, for stories of many hours. */
function long(factor: number): Step {
  return { seconds: 10, packets: { p0: 10 * factor * (90 + 20 * random()), p1: 1000 } };
}

function opened(bench: DetectionBench): string[] {
  return bench.events.filter(({ state }) => state === "open").map(({ detector }) => detector);
}

describe("a baseline", () => {
  it("that is poisoned by 1 % a minute is told as drift within 6 h", () => {
    const bench = new DetectionBench();
    bench.run(3 * 360, () => long(1));
    bench.run(6 * 360, (at) => long(Math.min(20, 1.01 ** (at / 6))));
    expect(opened(bench)).toContain("drift");
  });

  it("that only steadies does not drift", () => {
    const bench = new DetectionBench();
    bench.run(24 * 360, () => long(1));
    expect(opened(bench)).toEqual([]);
  });

  it("of days and nights does not drift", () => {
    const bench = new DetectionBench({ detectors: [drift], protocols: 1 });
    bench.run(5 * 1440, (at) => ({
      seconds: 60,
      packets: { p0: 6000 * (1 + 0.6 * Math.sin((2 * Math.PI * at) / 1440)) },
    }));
    expect(bench.events).toEqual([]);
  });

  it("takes five times as much for normal after one alarm, within 35 min", () => {
    const bench = new DetectionBench();
    bench.run(900, () => load(1));
    const startedMs = bench.timeMs;
    bench.run(2400, () => load(5));
    const spikes = bench.events.filter(({ detector }) => detector === "volume_spike");
    const over = spikes.find(({ state }) => state === "resolved");
    expect(spikes.filter(({ state }) => state === "open")).toHaveLength(1);
    expect((over?.time ?? 1e12) * 1000 - startedMs).toBeLessThan(35 * 60_000);
  });

  it("that knew only silence takes traffic for normal within 35 min, in finite numbers", () => {
    const bench = new DetectionBench();
    bench.run(900, { packets: {} });
    const startedMs = bench.timeMs;
    bench.run(2400, () => load(1));
    const over = bench.events.filter(({ state }) => state === "resolved").at(-1);
    expect((over?.time ?? 1e12) * 1000 - startedMs).toBeLessThan(35 * 60_000);
    for (const { z, mean, stddev } of bench.engine.signals()) {
      expect([z, mean, stddev].every(Number.isFinite)).toBe(true);
    }
  });

  it("that began in the middle of an attack is not deaf afterwards", () => {
    const bench = new DetectionBench();
    bench.run(900, () => load(50));
    bench.run(3000, () => load(1));
    bench.events.length = 0;
    bench.run(60, () => load(50));
    expect(opened(bench)).toContain("volume_spike");
  });

  it("tells a rise in severity during its cool-down", () => {
    const bench = new DetectionBench({
      settings: { volume_spike: { warning_seconds: 10, warning_hours: 0 } },
    });
    bench.run(700, () => load(1));
    bench.run(20, () => load(4));
    bench.run(120, () => load(1));
    bench.run(20, () => load(4));
    expect(opened(bench)).toEqual(["volume_spike"]);
    bench.run(40, () => load(200));
    expect(bench.events.at(-1)).toMatchObject({ detector: "volume_spike", severity: "warning" });
  });
});
