// SPDX-License-Identifier: AGPL-3.0-or-later
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runProgram } from "../../src/commands/program.ts";
import { detectors } from "../../src/detect/all.ts";
import { Tuner } from "../../src/detect/tuner.ts";
import { volumeSpike } from "../../src/detect/volume.ts";
import { DetectionBench } from "../support/detection-bench.ts";
import { root } from "../support/project.ts";

const context = { isHome: () => false };

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
    expect(stdout).toMatch(/^ {4}volume_spike \(nothing\): z, warning_z/m);
    expect(stdout).toMatch(/host_sweep \(1 (warning|critical)\)|\* \d\S* +1 (warning|critical)/);
  });
});
