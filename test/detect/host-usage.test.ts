// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import type { HostSample, ProcessGroup } from "../../src/detect/detector.ts";
import { hostUsage } from "../../src/detect/host-usage.ts";
import { processUsage } from "../../src/detect/process-usage.ts";
import { DetectionBench, hostSample } from "../support/detection-bench.ts";

function group(name: string, cpuRatio: number, memoryBytes = 100e6): ProcessGroup {
  return { name, cpuRatio, memoryBytes, processes: 2 };
}

const IDLE = [group("systemd", 0.01), group("nginx", 0.02), group("other", 0.01)];

/** A host that was idle for long enough to be known. */
function idle(): DetectionBench {
  const bench = new DetectionBench({ detectors: [hostUsage, processUsage] });
  sample(bench, 700, (at) => ({ cpuRatio: 0.04 + (at % 3) / 100, groups: IDLE }));
  expect(bench.events).toEqual([]);
  return bench;
}

function sample(
  bench: DetectionBench,
  seconds: number,
  parts: Partial<HostSample> | ((at: number) => Partial<HostSample>),
): void {
  for (let at = 0; at < seconds; at++) {
    const given = typeof parts === "function" ? parts(at) : parts;
    bench.step({ host: hostSample(bench.timeMs, given) });
  }
}

function told(bench: DetectionBench): string[] {
  return bench.events.map(
    ({ detector, entity, severity, state }) => `${detector} ${entity.key} ${severity} ${state}`,
  );
}

describe("use of the host", () => {
  it("tells CPU use far above the usual, with who uses it", () => {
    const bench = idle();
    sample(bench, 10, { cpuRatio: 0.9, groups: [group("nginx", 0.83), ...IDLE.slice(0, 1)] });
    const event = bench.events.find(({ detector }) => detector === "host_usage");
    expect(event).toMatchObject({
      severity: "info",
      entity: { kind: "host", key: "host_cpu_ratio" },
      observed: 0.9,
      threshold: { value: 6, setting: "detectors.host_usage.z" },
    });
    expect(event?.explanation).toMatch(
      /^The CPU use of this host is 90 %, usually 5 %, for \d s now; the largest part is nginx: 83 % of all CPU\.$/,
    );
    expect(event?.evidence[0]).toBe("nginx: 83 % of all CPU");
  });

  it("leaves an idle host alone that does a little", () => {
    const bench = idle();
    sample(bench, 120, { cpuRatio: 0.4, load1: 0.9, groups: IDLE });
    expect(bench.events).toEqual([]);
  });

  it("leaves a host alone that is always busy", () => {
    const bench = new DetectionBench({ detectors: [hostUsage] });
    sample(bench, 1200, (at) => ({ cpuRatio: at % 20 < 10 ? 0.4 : 0.95, load1: 4 }));
    expect(bench.events).toEqual([]);
  });

  it("warns of use that leaves nothing and lasts", () => {
    const bench = idle();
    sample(bench, 80, { cpuRatio: 1, groups: IDLE });
    expect(told(bench)).toEqual([
      "host_usage host_cpu_ratio info open",
      "host_usage host_cpu_ratio warning update",
    ]);
  });

  it("tells memory and load, too, and when they are back", () => {
    const bench = idle();
    sample(bench, 10, { memoryUsedBytes: 7e9, load1: 8, groups: IDLE });
    sample(bench, 90, { groups: IDLE });
    expect(told(bench).sort()).toEqual([
      "host_usage host_load1_ratio info open",
      "host_usage host_load1_ratio info resolved",
      "host_usage host_memory_used_ratio info open",
      "host_usage host_memory_used_ratio info resolved",
    ]);
  });

  it("takes one sample for one, however often it is handed over", () => {
    const bench = new DetectionBench({ detectors: [hostUsage] });
    const once = hostSample(1000);
    bench.run(50, { host: once });
    expect(bench.signal("host_cpu_ratio", "rolling").samples).toBe(1);
  });
});

describe("use by process groups", () => {
  it("tells a group that uses far more than it ever did", () => {
    const bench = idle();
    sample(bench, 10, { groups: [group("nginx", 0.45), ...IDLE.slice(0, 1)] });
    expect(bench.events).toMatchObject([
      {
        detector: "process_usage",
        severity: "info",
        entity: { kind: "process", key: "nginx CPU", process: "nginx" },
        observed: 0.45,
      },
    ]);
    expect(bench.events[0]?.explanation).toContain("nginx uses 45 % of this host's CPU");
  });

  it("tells a group nobody has seen before", () => {
    const bench = idle();
    sample(bench, 10, { groups: [group("xmrig", 0.8), ...IDLE] });
    expect(told(bench)).toEqual(["process_usage xmrig CPU info open"]);
  });

  it("tells memory by its share of the whole", () => {
    const bench = idle();
    sample(bench, 10, { groups: [group("leaky", 0.01, 4e9), ...IDLE] });
    expect(told(bench)).toEqual(["process_usage leaky memory info open"]);
  });

  it("says nothing of a fresh host, of a small use, or of all others together", () => {
    const fresh = new DetectionBench({ detectors: [processUsage] });
    sample(fresh, 500, (at) => ({ groups: [group("build", at < 250 ? 0 : 0.9), ...IDLE] }));
    expect(fresh.events).toEqual([]);
    const bench = idle();
    sample(bench, 60, { groups: [group("cron", 0.2), group("other", 0.9)] });
    expect(bench.events).toEqual([]);
  });

  it("knows a job that comes every few minutes", () => {
    const bench = new DetectionBench({ detectors: [processUsage] });
    const job = (at: number): readonly ProcessGroup[] =>
      at % 200 < 40 ? [group("backup", 0.6), ...IDLE] : IDLE;
    sample(bench, 3000, (at) => ({ groups: job(at) }));
    expect(bench.events).toEqual([]);
  });

  it("keeps a bounded number of groups in mind", () => {
    const bench = idle();
    sample(bench, 300, (at) => ({ groups: [group(`job${at}`, 0.1), ...IDLE] }));
    expect(bench.events).toEqual([]);
  });
});
