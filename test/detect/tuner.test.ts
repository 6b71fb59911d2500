// SPDX-License-Identifier: AGPL-3.0-or-later
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runProgram } from "../../src/commands/program.ts";
import { detectors } from "../../src/detect/all.ts";
import { type Anomaly, SEVERITIES } from "../../src/detect/detector.ts";
import type { EngineOptions } from "../../src/detect/engine.ts";
import type { DetectSettings } from "../../src/detect/settings.ts";
import { Tuner } from "../../src/detect/tuner.ts";
import { volumeSpike } from "../../src/detect/volume.ts";
import { DetectionBench } from "../support/detection-bench.ts";
import { root } from "../support/project.ts";
import { contactRow } from "../support/windows.ts";
import { windowsOf } from "../support/windows-of.ts";

const context = { isHome: () => false };
/** As the bench has it. */
const benchContext = { isHome: (address: string): boolean => address.startsWith("10.") };

describe("tuner", () => {
  it("says what each value of a threshold would have raised, on the same ticks", () => {
    const tuner = new Tuner([volumeSpike], {}, context);
    const bench = new DetectionBench({
      detectors: [volumeSpike],
      watch: (tick, moment) => tuner.accept(tick, moment),
    });
    bench.run(700, { packets: { p0: 100 } });
    bench.run(60, { packets: { p0: 400 } });
    const own = tuner.trials().filter(({ setting }) => setting === "detectors.volume_spike.z");
    expect(own.map(({ value, isCurrent }) => [value, isCurrent])).toEqual([
      [2, false],
      [3, false],
      [6, true],
      [12, false],
      [24, false],
    ]);
    expect(own.map(({ raised }) => raised.info)).toEqual([1, 1, 1, 0, 0]);
    expect(bench.events.filter(({ state }) => state === "open")).toHaveLength(1);
  });

  it("tries only values that the schema allows, of every detector that is on", () => {
    const tuner = new Tuner(detectors, { volume_spike: { enabled: false } }, context);
    const trials = tuner.trials();
    expect(trials.length).toBeGreaterThan(100);
    expect(trials.some(({ setting }) => setting.includes("volume_spike"))).toBe(false);
    const beta = trials.filter(({ setting }) => setting === "detectors.port_scan.beta");
    expect(beta.every(({ value }) => value > 0 && value < 1)).toBe(true);
  });
});

describe("what a tuner says of a value", () => {
  it.each([
    ["host-sweep.pcap", "host_sweep"],
    ["arp-spoof.pcap", "arp_spoof"],
  ])("is what is raised with it: %s, %s", async (file, name) => {
    const definition = detectors.filter((detector) => detector.name === name);
    const windows = await windowsOf(join(root, "test/fixtures/pcap", file));
    const run = (detect: DetectSettings, watch?: EngineOptions["watch"]): Anomaly[] => {
      const bench = new DetectionBench({ detectors: definition, settings: detect, watch });
      return windows.flatMap((window) => bench.engine.tick(window, null));
    };
    const tuner = new Tuner(definition, {}, benchContext);
    run({}, (tick, moment) => tuner.accept(tick, moment));
    const trials = tuner.trials();
    expect(trials.some(({ raised }) => raised.critical + raised.warning > 0)).toBe(true);
    for (const { setting, value, raised } of trials) {
      const [, , own = ""] = setting.split(".");
      const worst = new Map(
        run({ [name]: { [own]: value } }).map(({ id, severity }) => [id, severity]),
      );
      const counts = Object.fromEntries(
        SEVERITIES.map((one) => [one, [...worst.values()].filter((it) => it === one).length]),
      );
      expect(counts, `${setting} ${value}`).toEqual(raised);
    }
  });

  it("leaves out what the operator allows", () => {
    const settings = { allow: { networks: ["10.0.0.5"] } };
    const tuner = new Tuner(detectors, settings, benchContext);
    const bench = new DetectionBench({
      settings,
      watch: (tick, moment) => tuner.accept(tick, moment),
    });
    bench.run(3, {
      contacts: [contactRow({ source: "10.0.0.5", contacts: 500, refused: 500, ports: 500 })],
    });
    const scans = tuner
      .trials()
      .filter(({ setting }) => setting.startsWith("detectors.port_scan."));
    expect(scans.length).toBeGreaterThan(0);
    for (const { raised } of scans) expect(raised).toEqual({ info: 0, warning: 0, critical: 0 });
  });
});

describe("nam replay --tune", () => {
  it("prints the thresholds that make a difference", async () => {
    let stdout = "";
    const io = {
      env: {},
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: () => true },
    };
    const capture = join(root, "test/fixtures/pcap/host-sweep.pcap");
    expect(await runProgram(["replay", "--tune", capture], io)).toBe(0);
    expect(stdout).toContain("Thresholds: anomalies that other values would have raised");
    const silent = stdout.slice(stdout.indexOf("Nothing whatever the value:"));
    expect(silent).toMatch(/\bvolume_spike,/);
    expect(silent).not.toContain("host_sweep");
    for (const line of silent.split("\n")) expect(line.length).toBeLessThan(100);
    expect(stdout).toMatch(/host_sweep \(1 (warning|critical)\)|\* \d\S* +1 (warning|critical)/);
  });
});
