// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { detectors } from "../../src/detect/all.ts";
import type { DetectorDefinition, Tick } from "../../src/detect/detector.ts";
import { createLog } from "../../src/util/log.ts";
import { DetectionBench, type Step } from "../support/detection-bench.ts";
import { contactRow, drops, handshakeRow, START_MS } from "../support/windows.ts";

const HOUR_MS = 3_600_000;
const settings = z.strictObject({});

const scan: Step = {
  contacts: [
    contactRow({
      source: "198.51.100.9",
      contacts: 500,
      refused: 500,
      ports: 500,
      topDestination: "10.0.0.80",
    }),
  ],
};
const flood: Step = { handshakes: [handshakeRow({ syn: 5000, sources: 4000 })] };

/** A detector that hands every tick to the test. */
function watching(see: (tick: Tick) => void): DetectorDefinition<z.infer<typeof settings>> {
  return {
    name: "watching",
    class: "test",
    help: "Shows the test what detectors see.",
    severities: ["info"],
    settings,
    quietSeconds: 30,
    create: () => ({
      evaluate: (tick) => {
        see(tick);
        return [];
      },
    }),
  };
}

function lastTick(steps: readonly Step[]): Tick {
  let last: Tick | undefined;
  const bench = new DetectionBench({ detectors: [watching((tick) => (last = { ...tick }))] });
  for (const step of steps) bench.step(step);
  if (!last) throw new Error("no tick");
  return last;
}

describe("engine", () => {
  it("gives the same events, identifiers included, for the same windows", () => {
    const story = (bench: DetectionBench): void => {
      bench.run(700, (at) => ({ packets: { p0: 100 + (at % 7) } }));
      bench.run(20, { ...scan, packets: { p0: 9000 } });
      bench.run(20, flood);
      bench.run(200, { packets: { p0: 100 } });
    };
    const one = new DetectionBench();
    const two = new DetectionBench();
    story(one);
    story(two);
    expect(one.events.length).toBeGreaterThan(5);
    expect(two.events).toEqual(one.events);
  });

  it("has every series at 0 before anything happens", async () => {
    const { body } = await new DetectionBench().registry.text(false);
    for (const { name, severities } of detectors) {
      for (const severity of severities) {
        const labels = `{detector="${name}",severity="${severity}"}`;
        expect(body).toContain(`nam_anomaly_events_total${labels} 0\n`);
        expect(body).toContain(`nam_anomaly_active${labels} 0\n`);
      }
      for (const reason of ["cooldown", "aggregated", "superseded", "environment_change"]) {
        expect(body).toContain(
          `nam_anomaly_suppressed_total{detector="${name}",reason="${reason}"} 0\n`,
        );
      }
      expect(body).toContain(`nam_collector_success{collector="detector:${name}"} 0\n`);
    }
    for (const family of ["signal_zscore", "baseline_mean", "baseline_stddev", "baseline_ready"]) {
      expect(body).toContain(`nam_${family}{signal="test_p0",baseline="rolling"} 0\n`);
      expect(body).toContain(`nam_${family}{signal="host_cpu_ratio",baseline="ewma"} 0\n`);
    }
    expect(body).toContain('nam_signal_value{signal="test_p0"} 0\n');
  });

  it("exposes value, score and baseline of a signal", async () => {
    const bench = new DetectionBench({ detectors: [] });
    bench.run(100, (at) => ({ packets: { p0: at % 2 === 0 ? 90 : 110 } }));
    bench.step({ packets: { p0: 150 } });
    expect(await bench.series('nam_signal_value{signal="test_p0"}')).toBe(150);
    const rolling = '{signal="test_p0",baseline="rolling"}';
    expect(await bench.series(`nam_signal_zscore${rolling}`)).toBe(5);
    expect(await bench.series(`nam_baseline_ready${rolling}`)).toBe(1);
    expect(await bench.series(`nam_baseline_mean${rolling}`)).toBeCloseTo(100.5, 1);
    expect(await bench.series('nam_signal_zscore{signal="test_p0",baseline="ewma"}')).toBe(0);
  });

  it("names the event that was counted", async () => {
    const bench = new DetectionBench();
    const [event] = bench.step(scan);
    const { body } = await bench.registry.text(true);
    const line = body.split("\n").find((text) => text.includes(event?.id ?? "no event"));
    expect(line).toContain('nam_anomaly_events_total{detector="port_scan",severity="warning"} 1');
    expect(line).toContain(`# {event_id="${event?.id}"} 1`);
  });

  it("survives a detector that throws, says so once, and counts on", async () => {
    const lines: string[] = [];
    const log = createLog({
      level: "info",
      format: "json",
      target: { write: (line: string) => lines.push(line) },
    });
    let broken = true;
    const failing = watching(() => {
      if (broken) throw new Error("out of luck");
    });
    const bench = new DetectionBench({ detectors: [failing, ...detectors], log });
    bench.run(5, scan);
    expect(bench.events.map(({ detector }) => detector)).toEqual(["port_scan"]);
    const success = 'nam_collector_success{collector="detector:watching"}';
    expect(await bench.series(success)).toBe(0);
    broken = false;
    bench.step();
    expect(await bench.series(success)).toBe(1);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: "error", collector: "detector:watching", msg: "collector failed" },
      { level: "info", failures: 5, msg: "collector works again" },
    ]);
  });

  it.each([
    ["lost packets", { capture: { dropped: drops({ ring: 11 }) } }, true],
    ["no capture", { capture: null }, false],
    ["a step of the clock", { capture: { clockSteps: 1 } }, false],
    ["a reader that was late", { ticks: 3, seconds: 3 }, false],
    ["processing that lags", { capture: { lagSeconds: 3 } }, false],
  ] as const)("believes nothing of a window with %s", (_, step, degraded) => {
    expect(lastTick([{}, step])).toMatchObject({ tainted: true, degraded });
    expect(lastTick([{}, step, {}])).toMatchObject({ tainted: false, degraded: false });
  });

  it("believes a window that lost less than 1 %, or was merged of two", () => {
    expect(lastTick([{}, { capture: { dropped: drops({ kernel: 9 }) } }]).tainted).toBe(false);
    expect(lastTick([{}, { ticks: 2, seconds: 2 }]).tainted).toBe(false);
  });

  it("marks what it tells around a loss as degraded", () => {
    const bench = new DetectionBench();
    bench.step({ capture: { received: 1000, dropped: drops({ kernel: 20 }) } });
    expect(bench.run(5, scan)[0]?.degraded).toBe(true);
    const later = new DetectionBench();
    later.step({ capture: { received: 1000, dropped: drops({ kernel: 20 }) } });
    later.run(15);
    expect(later.step(scan)[0]?.degraded).toBe(false);
  });

  it.each([
    ["forward", HOUR_MS],
    ["back", -HOUR_MS],
  ])("takes a clock that leaps an hour %s without an alarm, and goes on", (_, leapMs) => {
    const bench = new DetectionBench();
    bench.run(700, (at) => ({ packets: { p0: 100 + (at % 7) } }));
    const before = bench.signal("test_p0", "rolling");
    bench.timeMs += leapMs;
    bench.run(60, (at) => ({ packets: { p0: 100 + (at % 7) } }));
    expect(bench.events).toEqual([]);
    expect(Math.abs(bench.signal("test_p0", "rolling").mean - before.mean)).toBeLessThan(0.5);
    const quiet = { packets: { p0: 100 } };
    expect(bench.step({ ...scan, ...quiet })).toMatchObject([{ state: "open" }]);
    expect(bench.run(40, quiet)).toMatchObject([{ state: "resolved" }]);
  });

  it("keeps an open incident open over such a leap", () => {
    const bench = new DetectionBench();
    bench.run(5, flood);
    bench.timeMs -= HOUR_MS;
    bench.run(5, flood);
    bench.timeMs += 2 * HOUR_MS;
    bench.run(5, flood);
    const states = bench.events.map(({ state }) => state);
    expect(states.filter((state) => state !== "update")).toEqual(["open"]);
    expect(bench.run(40)).toMatchObject([{ detector: "syn_flood", state: "resolved" }]);
  });

  it("resolves an incident whose end fell into such a leap", () => {
    const bench = new DetectionBench();
    bench.run(5, flood);
    bench.timeMs -= HOUR_MS;
    expect(bench.run(31)).toMatchObject([{ detector: "syn_flood", state: "resolved" }]);
  });

  it.each([30_000, HOUR_MS, -HOUR_MS])("believes nothing of a window %d ms off", (offMs) => {
    let last: Tick | undefined;
    const bench = new DetectionBench({ detectors: [watching((tick) => (last = { ...tick }))] });
    bench.step();
    bench.timeMs += offMs;
    bench.step();
    expect(last).toMatchObject({ tainted: true, degraded: false });
    bench.step();
    expect(last).toMatchObject({ tainted: false });
  });

  it("raises nothing because of 30 s without windows", () => {
    const bench = new DetectionBench();
    bench.run(700, (at) => ({ packets: { p0: 100 + (at % 7) } }));
    const before = bench.signal("test_p0", "rolling").mean;
    bench.timeMs += 30_000;
    // What piled up meanwhile comes at once.
    bench.step({ packets: { p0: 3000 } });
    expect(bench.signal("test_p0", "rolling").mean).toBe(before);
    bench.run(60, (at) => ({ packets: { p0: 100 + (at % 7) } }));
    expect(bench.events).toEqual([]);
  });

  it("takes a window of no length", () => {
    const bench = new DetectionBench();
    bench.step({ seconds: 0, packets: { p0: 5 } });
    expect(bench.signal("test_p0", "rolling")).toMatchObject({ value: 0, samples: 0 });
  });

  it("keeps baselines and open incidents over new settings", () => {
    const bench = new DetectionBench();
    bench.run(700, (at) => ({ packets: { p0: 100 + (at % 7) } }));
    bench.step(scan);
    const before = bench.signal("test_p0", "ewma");
    bench.engine.reconfigure({ port_scan: { quiet_seconds: 5 }, volume_spike: { z: 20 } });
    expect(bench.signal("test_p0", "ewma")).toEqual(before);
    expect(bench.engine.active()).toHaveLength(1);
    expect(bench.run(5)).toMatchObject([{ detector: "port_scan", state: "resolved" }]);
  });

  it("keeps what a detector knows when its own settings stay", () => {
    const bench = new DetectionBench();
    const slow = (at: number): Step => ({
      contacts: [
        contactRow({
          source: "198.51.100.9",
          contacts: 1,
          refused: 1,
          ports: at + 1,
          topDestination: "10.0.0.80",
        }),
      ],
    });
    bench.run(6, slow);
    bench.engine.reconfigure({ syn_flood: { floor: 1000 } });
    bench.run(4, (at) => slow(at + 6));
    expect(bench.events).toMatchObject([{ detector: "port_scan" }]);
  });

  it("keeps the old settings where new ones are not valid", () => {
    const bench = new DetectionBench();
    expect(() => bench.engine.reconfigure({ port_scan: { alpha: 2 } })).toThrow(
      /detectors\.port_scan: .*alpha/s,
    );
    expect(bench.step(scan)).toMatchObject([{ detector: "port_scan" }]);
  });

  it("does not ask a detector that is switched off, and resolves what it had open", () => {
    const bench = new DetectionBench();
    bench.step(scan);
    bench.engine.reconfigure({ port_scan: { enabled: false } });
    expect(bench.run(60, scan)).toMatchObject([{ state: "resolved" }]);
  });

  it("names the interfaces it watched", () => {
    const bench = new DetectionBench({ startMs: START_MS });
    expect(bench.step({ ...scan, capture: { interface: "mirror0" } })[0]?.interface).toBe(
      "mirror0",
    );
  });
});
