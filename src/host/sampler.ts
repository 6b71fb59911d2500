// SPDX-License-Identifier: AGPL-3.0-or-later
import { cpus, loadavg } from "node:os";
import si from "systeminformation";
import type { GaugeInstrument, MetricsRegistry } from "../metrics/registry.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { busyRatio, readCpuTime } from "./cpu-time.ts";
import {
  cpuRatio,
  groupCpu,
  groupMemory,
  groupProcesses,
  load1,
  memoryTotal,
  memoryUsed,
} from "./families.ts";
import { type ProcessGroup, ProcessGroups } from "./groups.ts";
import { createProcessTable } from "./process-table.ts";

/** What the host did since the sample before. Ratios are 0 to 1. */
export interface HostSample {
  readonly timeMs: number;
  readonly cpuRatio: number;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  readonly load1: number;
  readonly cpus: number;
  /** The largest groups, most CPU first, and `other`; empty where process groups are switched off. */
  readonly groups: readonly ProcessGroup[];
}

export interface HostSamplerOptions {
  readonly registry: MetricsRegistry;
  /** Groups that are told by name; 0 switches process groups off. */
  readonly topGroups: number;
  /** Least time between two looks at the processes. */
  readonly groupIntervalMs: number;
  readonly clock?: Clock;
}

/**
 * Reads CPU, memory and load of this machine on each call, and its processes now and then. Starts no program on Linux
 * and computes for about a millisecond at a time.
 */
export class HostSampler {
  readonly #options: HostSamplerOptions;
  readonly #clock: Clock;
  readonly #cpus = Math.max(1, cpus().length);
  readonly #table = createProcessTable();
  readonly #grouping: ProcessGroups;
  readonly #levels: readonly [GaugeInstrument, (sample: HostSample) => number][];
  readonly #perGroup: readonly [GaugeInstrument, (group: ProcessGroup) => number][];
  #cpuTime = readCpuTime();
  #groups: readonly ProcessGroup[] = [];
  #groupsAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<HostSample> | null = null;

  constructor(options: HostSamplerOptions) {
    const { registry, topGroups } = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#grouping = new ProcessGroups(topGroups);
    this.#levels = [
      [registry.gauge(cpuRatio), (sample) => sample.cpuRatio],
      [registry.gauge(memoryUsed), (sample) => sample.memoryUsedBytes],
      [registry.gauge(memoryTotal), (sample) => sample.memoryTotalBytes],
      [registry.gauge(load1), (sample) => sample.load1],
    ];
    this.#perGroup = [
      [registry.gauge(groupCpu), (group) => group.cpuRatio],
      [registry.gauge(groupMemory), (group) => group.memoryBytes],
      [registry.gauge(groupProcesses), (group) => group.processes],
    ];
  }

  /** Takes a sample; a call during another one gets that one's. Rejects where the system cannot be read. */
  async sample(): Promise<HostSample> {
    this.#running ??= this.#take().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #take(): Promise<HostSample> {
    const cpuTime = readCpuTime();
    const busy = busyRatio(this.#cpuTime, cpuTime);
    this.#cpuTime = cpuTime;
    const memory = await si.mem();
    await this.#lookAtProcesses(memory.total);
    const sample: HostSample = {
      timeMs: this.#clock.now(),
      cpuRatio: busy,
      memoryUsedBytes: memory.active,
      memoryTotalBytes: memory.total,
      load1: loadavg()[0] ?? 0,
      cpus: this.#cpus,
      groups: this.#groups,
    };
    for (const [gauge, read] of this.#levels) gauge.set({}, read(sample));
    return sample;
  }

  async #lookAtProcesses(memoryTotalBytes: number): Promise<void> {
    const { topGroups, groupIntervalMs } = this.#options;
    const nowMs = this.#clock.monotonicMs();
    if (topGroups === 0 || nowMs - this.#groupsAtMs < groupIntervalMs) return;
    this.#groupsAtMs = nowMs;
    const groups = this.#grouping.group(await this.#table.read(), memoryTotalBytes, nowMs);
    this.#expose(groups);
    this.#groups = groups;
  }

  #expose(groups: readonly ProcessGroup[]): void {
    const gone = this.#groups.filter(({ name }) => !groups.some((group) => group.name === name));
    for (const [gauge, read] of this.#perGroup) {
      for (const { name } of gone) gauge.remove({ group: name });
      for (const group of groups) gauge.set({ group: group.name }, read(group));
    }
  }
}
