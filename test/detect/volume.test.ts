// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { environmentChange } from "../../src/detect/environment-change.ts";
import { levelShift } from "../../src/detect/level-shift.ts";
import type { DetectSettings } from "../../src/detect/settings.ts";
import { volumeDrop, volumeSpike } from "../../src/detect/volume.ts";
import { DetectionBench, PROTOCOLS, randomOf, type Step } from "../support/detection-bench.ts";
import { drops } from "../support/windows.ts";

const detectors = [volumeSpike, volumeDrop, levelShift, environmentChange];
const random = randomOf(1);

/** Around 100 packets/s of the first protocols, and nothing of the others. */
function usual(protocols: number, factor = 1): Step {
  const packets: Record<string, number> = {};
  for (const protocol of PROTOCOLS.slice(0, protocols)) {
    packets[protocol] = Math.round(factor * (90 + 20 * random()));
  }
  return { packets };
}

/** A bench whose baselines know about 100 packets/s of the first protocols. */
function watched(protocols: number, settings: DetectSettings = {}): DetectionBench {
  const bench = new DetectionBench({ detectors, settings });
  bench.run(700, () => usual(protocols));
  expect(bench.events).toEqual([]);
  return bench;
}

function told(bench: DetectionBench): string[] {
  return bench.events.map(({ detector, state }) => `${detector} ${state}`);
}

describe("volume", () => {
  it("tells a spike within 5 s, and its end", () => {
    const bench = watched(2);
    const changes = bench.run(5, () => ({ packets: { p0: 1000, p1: 100 } }));
    expect(changes).toMatchObject([
      {
        detector: "volume_spike",
        severity: "info",
        entity: { kind: "signal", key: "test_p0" },
        observed: 1000,
        threshold: { value: 6, setting: "detectors.volume_spike.z" },
      },
    ]);
    expect(changes[0]?.explanation).toContain("test_p0 is at 1,000 packets/s, far above its usual");
    expect(changes[0]?.expected).toBeGreaterThan(90);
    expect(changes[0]?.expected).toBeLessThan(110);
    bench.run(90, () => usual(2));
    expect(told(bench)).toEqual(["volume_spike open", "volume_spike resolved"]);
  });

  it("says nothing of one loud second, which the smoothing makes three of, but of three among five", () => {
    const loud = (seconds: readonly number[]): string[] => {
      const bench = watched(2);
      bench.run(8, (at) => usual(2, seconds.includes(at) ? 40 : 2));
      return told(bench);
    };
    expect(loud([0])).toEqual([]);
    expect(loud([0, 2])).toEqual([]);
    expect(loud([0, 2, 4])).toEqual(["volume_spike open"]);
  });

  it("goes on while the smoothed rate is far off, whatever a single second says", () => {
    const bench = watched(1, { volume_spike: { warning_seconds: 100, warning_hours: 0 } });
    bench.run(120, (at) => usual(1, at % 4 < 2 ? 2 : 40));
    expect(bench.events.map(({ severity }) => severity)).toEqual(["info", "warning"]);
  });

  it("asks the mean of ten seconds below twice its limit: most bursts of four seconds are over by then", () => {
    const alarms = (burstSeconds: number): number =>
      Array.from({ length: 10 }, (_, offset) => {
        const bench = watched(1);
        bench.run(offset, () => usual(1));
        bench.run(burstSeconds, () => usual(1, 6));
        return told(bench).filter((line) => line === "volume_spike open").length;
      }).reduce((sum, count) => sum + count, 0);
    expect(alarms(4)).toBeLessThanOrEqual(4);
    expect(alarms(14)).toBe(10);
  });

  it("says nothing before it is ready", () => {
    const bench = new DetectionBench({ detectors });
    bench.run(500, () => usual(2));
    bench.run(60, { packets: { p0: 50_000 } });
    expect(bench.events).toEqual([]);
  });

  it("ignores a single tick, and a deviation of a few packets", () => {
    const bench = watched(2);
    bench.step({ packets: { p0: 20_000, p1: 100 } });
    bench.run(90, () => usual(2));
    expect(bench.events).toEqual([]);
    bench.run(30, () => ({ packets: { ...usual(2).packets, p9: 15 } }));
    expect(bench.events).toEqual([]);
  });

  it("makes one event of signals that rise together", () => {
    const bench = watched(6);
    bench.run(10, () => usual(6, 10));
    expect(told(bench)).toEqual(["volume_spike open"]);
    bench.run(10, () => usual(6, 10));
    expect(bench.engine.active()[0]?.evidence).toHaveLength(5);
  });

  it("makes another event of a signal that rises later", () => {
    const bench = watched(2);
    bench.run(60, { packets: { p0: 1000, p1: 100 } });
    bench.run(10, { packets: { p0: 1000, p1: 1000 } });
    expect(told(bench)).toEqual(["volume_spike open", "volume_spike open"]);
  });

  it("warns of what is far off and lasts", () => {
    const bench = watched(2, { volume_spike: { warning_hours: 0 } });
    bench.run(330, { packets: { p0: 9000, p1: 100 } });
    expect(bench.events.map(({ severity, state }) => `${severity} ${state}`)).toEqual([
      "info open",
      "warning update",
    ]);
  });

  it("tells a drop", () => {
    const bench = watched(2);
    bench.run(30, { packets: { p0: 0, p1: 100 } });
    expect(bench.events).toMatchObject([
      { detector: "volume_drop", entity: { key: "test_p0" }, observed: 0 },
    ]);
  });

  it("tells no drop that is a loss of packets, and learns nothing from it", () => {
    const bench = watched(2);
    const before = bench.signal("test_p0", "rolling").mean;
    bench.run(120, {
      packets: { p0: 2, p1: 2 },
      capture: { received: 1000, processed: 40, dropped: drops({ kernel: 960 }) },
    });
    expect(bench.events).toEqual([]);
    expect(bench.signal("test_p0", "rolling").mean).toBe(before);
  });

  it("tells a level that stays as a spike, then as a shift, and is quiet", () => {
    const bench = watched(2);
    bench.run(3600, () => ({ packets: { p0: 1000, p1: 100 } }));
    const kinds = told(bench).filter((event) => !event.endsWith("update"));
    expect(kinds).toEqual([
      "volume_spike open",
      "level_shift open",
      "level_shift resolved",
      "volume_spike resolved",
    ]);
    expect(bench.events.find(({ detector }) => detector === "level_shift")).toMatchObject({
      severity: "info",
      threshold: { value: 1800, setting: "detectors.guards.freeze_seconds" },
    });
  });
});

describe("change of the environment", () => {
  it("is one event instead of one for each signal", async () => {
    const bench = watched(24);
    bench.run(20, () => usual(24, 20));
    expect(told(bench)).toEqual(["environment_change open"]);
    expect(bench.events[0]?.severity).toBe("info");
    expect(bench.events[0]?.explanation).toContain("24 signals of 24 left their baselines at once");
    const suppressed =
      'nam_anomaly_suppressed_total{detector="volume_spike",reason="environment_change"}';
    expect(await bench.series(suppressed)).toBeGreaterThan(10);
  });

  it("is not what a download does", () => {
    const bench = watched(24);
    const busy = usual(24).packets ?? {};
    bench.run(20, { packets: { ...busy, p0: 9000, p1: 9000, p2: 9000, p3: 9000 } });
    expect(told(bench)).toEqual(["volume_spike open"]);
  });

  it("does not count signals that are always silent", () => {
    const bench = watched(12, { guards: { environment_ratio: 0.7 } });
    bench.run(20, { packets: {} });
    expect(told(bench)).toEqual(["environment_change open"]);
    expect(bench.events[0]?.severity).toBe("warning");
  });
});
