// SPDX-License-Identifier: AGPL-3.0-or-later
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { hostSettings } from "../../src/host/all.ts";
import { busyRatio, parseCpuLine, readCpuTime } from "../../src/host/cpu-time.ts";
import { ProcTable, parseStat } from "../../src/host/proc-table.ts";
import { HostSampler } from "../../src/host/sampler.ts";
import { MetricsRegistry } from "../../src/metrics/registry.ts";

const linux = process.platform === "linux";
const folder = mkdtempSync(join(tmpdir(), "nam-host-"));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program of that name that does nothing but turn. */
async function busyProgram(name: string): Promise<ChildProcess> {
  const program = join(folder, name);
  copyFileSync("/bin/sh", program);
  const child = spawn(program, ["-c", "echo on; while :; do :; done"]);
  children.push(child);
  await once(child.stdout ?? child, "data");
  return child;
}

/** Waits until the machine's clock of processor time has gone on by `ticks`. */
async function processorTime(ticks: number): Promise<void> {
  const start = readCpuTime().total;
  while (readCpuTime().total - start < ticks) await new Promise(setImmediate);
}

function sampler(parts: { topGroups?: number; groupIntervalMs?: number } = {}): {
  host: HostSampler;
  registry: MetricsRegistry;
} {
  const registry = new MetricsRegistry();
  const host = new HostSampler({ registry, topGroups: 50, groupIntervalMs: 0, ...parts });
  return { host, registry };
}

describe("processor time", () => {
  it("is read from the first line of /proc/stat: waiting for a disk is not work, guests count once", () => {
    const before = parseCpuLine("cpu  100 0 50 800 40 5 5 0 30 0\ncpu0 1 2 3\n");
    const after = parseCpuLine("cpu  160 0 60 820 45 5 5 5 60 0\ncpu0 1 2 3\n");
    expect(before).toEqual({ busy: 160, total: 1000 });
    expect(busyRatio(before, after)).toBe(0.75);
  });

  it("is 0 where no time passed or the counters went back", () => {
    const time = { busy: 10, total: 100 };
    expect(busyRatio(time, time)).toBe(0);
    expect(busyRatio(time, { busy: 5, total: 50 })).toBe(0);
  });
});

describe.runIf(linux)("process table", () => {
  it("reads names that try to be fields", () => {
    const tail = "S 1 1 1 0 -1 4194560 1 2 3 4 7 3 0 0 20 0 1 0 999 10000 25 18446744073709551615";
    expect(parseStat(`42 (evil) R 9 (x) ${tail}`)).toEqual({
      name: "evil) R 9 (x",
      ticks: 10,
      started: "999",
      pages: 25,
    });
    expect(parseStat("42 broken")).toBeNull();
    expect(parseStat("42 (short) S 1")).toBeNull();
  });

  it("makes one group of the kernel's threads", () => {
    const tail = "S 2 0 0 0 -1 69238880 0 0 0 0 0 4 0 0 20 0 1 0 30 0 0 18446744073709551615";
    expect(parseStat(`7 (kworker/0:1) ${tail}`)?.name).toBe("kernel");
  });

  it("takes the program's name where the main thread hides it", async () => {
    const proc = join(folder, "proc");
    mkdirSync(join(proc, "self"), { recursive: true });
    mkdirSync(join(proc, "42"));
    writeFileSync(join(proc, "stat"), "cpu  1 0 1 1 0 0 0 0 0 0\n");
    writeFileSync(join(proc, "self", "statm"), "1000 1000 1 1 0 1 0\n");
    const tail = "S 1 1 1 0 -1 4194560 1 2 3 4 7 3 0 0 20 0 1 0 999 10000 25 1";
    writeFileSync(join(proc, "42", "stat"), `42 (MainThread) ${tail}`);
    writeFileSync(join(proc, "42", "cmdline"), "/usr/bin/node\0server.js\0");
    expect((await new ProcTable(proc).read()).map(({ name }) => name)).toEqual(["node"]);
  });

  it("measures what a process uses, and what this one holds", async () => {
    const child = await busyProgram("nam-busy-table");
    const table = new ProcTable("/proc");
    const first = await table.read();
    expect(first.every(({ cpuRatio }) => cpuRatio === 0)).toBe(true);
    await processorTime(100);
    const second = await table.read();
    const busy = second.find(({ name }) => name.startsWith("nam-busy-table"));
    expect(busy?.cpuRatio).toBeGreaterThan(0.02);
    expect(second.reduce((sum, { cpuRatio }) => sum + cpuRatio, 0)).toBeLessThan(1.2);
    const memory = Math.max(...second.map(({ memoryBytes }) => memoryBytes));
    expect(memory).toBeGreaterThan(process.memoryUsage.rss() * 0.5);
    expect(memory).toBeLessThan(totalmem());
    child.kill("SIGKILL");
  });
});

describe("host sampler", () => {
  it("gives levels that a machine can have", async () => {
    const { host } = sampler();
    await processorTime(5);
    const sample = await host.sample();
    expect(sample.cpuRatio).toBeGreaterThanOrEqual(0);
    expect(sample.cpuRatio).toBeLessThanOrEqual(1);
    expect(sample.memoryTotalBytes).toBeCloseTo(totalmem(), -7);
    expect(sample.memoryUsedBytes).toBeGreaterThan(0);
    expect(sample.memoryUsedBytes).toBeLessThan(sample.memoryTotalBytes);
    expect(sample.load1).toBeGreaterThanOrEqual(0);
    expect(sample.groups.at(-1)?.name).toBe("other");
    expect(Math.abs(sample.timeMs - Date.now())).toBeLessThan(5000);
  });

  it("exposes levels and groups, and no group that is gone", async () => {
    const { host, registry } = sampler();
    const child = await busyProgram("nam-busy-group");
    await host.sample();
    await processorTime(100);
    await host.sample();
    const series = 'nam_process_group_processes{group="nam-busy-group"} 1';
    expect((await registry.text(false)).body).toContain(series);
    child.kill("SIGKILL");
    await once(child, "exit");
    await host.sample();
    const { body } = await registry.text(false);
    expect(body).not.toContain("nam-busy-group");
    expect(body).toMatch(/^nam_host_cpu_ratio [\d.e-]+$/m);
    expect(body).toMatch(/^nam_host_memory_total_bytes \d{9,}$/m);
    expect(body).toMatch(/^nam_host_load1 [\d.]+$/m);
    expect(body).toMatch(/^nam_process_group_memory_bytes\{group="other"\} \d+$/m);
  });

  it("looks at no process where groups are switched off, and not more often than told", async () => {
    expect((await sampler({ topGroups: 0 }).host.sample()).groups).toEqual([]);
    const { host } = sampler({ groupIntervalMs: 3_600_000 });
    const { groups } = await host.sample();
    expect((await host.sample()).groups).toBe(groups);
  });

  it("gives one sample to callers who ask at once", async () => {
    const { host } = sampler();
    const [one, two] = await Promise.all([host.sample(), host.sample()]);
    expect(two).toBe(one);
  });

  it.runIf(linux)("does not hold up the event loop", async () => {
    const { host } = sampler();
    await host.sample();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    for (let at = 0; at < 20; at++) await host.sample();
    delay.disable();
    // Typical turns take 1 to 3 ms; the bound leaves room for a machine that is busy with other tests.
    expect(delay.percentile(50) / 1e6).toBeLessThan(25);
  });
});

describe("host settings", () => {
  it("are valid when empty, and described", () => {
    expect(hostSettings.parse(undefined)).toEqual({
      enabled: true,
      process_groups: true,
      top_groups: 10,
      group_interval_seconds: 5,
    });
    expect(hostSettings.safeParse({ top: 3 }).success).toBe(false);
  });
});
