// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import type {
  Detector,
  DetectorDefinition,
  Finding,
  HostSample,
  ProcessGroup,
  SignalState,
  Tick,
} from "./detector.ts";
import { Hysteresis } from "./guards.ts";
import { signalQuery, timeFilter } from "./suggestions.ts";
import { bytes, duration, number, percent } from "./text.ts";

const ratio = z.number().min(0).max(1);

const settings = z.strictObject({
  z: z
    .number()
    .gt(0)
    .default(6)
    .describe("Standard deviations above the baseline, in 3 of 5 samples, that are told."),
  minimum_cpu_ratio: ratio
    .default(0.5)
    .describe("CPU use below this share of all processors is never told."),
  minimum_memory_ratio: ratio
    .default(0.5)
    .describe("Memory use below this share of all memory is never told."),
  minimum_load_ratio: z
    .number()
    .min(0)
    .default(1)
    .describe("A load of less than this many waiting tasks per processor is never told."),
  warning_ratio: z
    .number()
    .gt(0)
    .default(0.95)
    .describe("From this level on, CPU or memory use that lasts is a warning."),
  warning_seconds: z
    .number()
    .min(0)
    .default(60)
    .describe("Seconds after which use of warning_ratio is a warning."),
});
type Settings = z.infer<typeof settings>;

interface Resource {
  readonly signal: string;
  readonly name: string;
  readonly minimum: (own: Settings) => number;
  /** Whether `warning_ratio` is about it. */
  readonly exhaustible: boolean;
  level(value: number): string;
  share(group: ProcessGroup): number;
  use(group: ProcessGroup): string;
}

const cpuShare = {
  share: (group: ProcessGroup) => group.cpuRatio,
  use: (group: ProcessGroup) => `${group.name}: ${percent(group.cpuRatio)} of all CPU`,
};

const RESOURCES: readonly Resource[] = [
  {
    signal: "host_cpu_ratio",
    name: "CPU use",
    minimum: (own) => own.minimum_cpu_ratio,
    exhaustible: true,
    level: percent,
    ...cpuShare,
  },
  {
    signal: "host_memory_used_ratio",
    name: "memory use",
    minimum: (own) => own.minimum_memory_ratio,
    exhaustible: true,
    level: percent,
    share: (group) => group.memoryBytes,
    use: (group) => `${group.name}: ${bytes(group.memoryBytes)}`,
  },
  {
    signal: "host_load1_ratio",
    name: "load",
    minimum: (own) => own.minimum_load_ratio,
    exhaustible: false,
    level: (value) => `${number(value)} tasks per processor`,
    ...cpuShare,
  },
];

/** CPU, memory or load of this host far above its own baseline. */
export const hostUsage: DetectorDefinition<Settings> = {
  name: "host_usage",
  class: "host",
  help: "CPU, memory or load of this host is far above its own baseline and above an absolute floor; the largest process groups are the evidence.",
  severities: ["info", "warning"],
  settings,
  quietSeconds: 60,
  alarmsPerWeek: 10,
  create: (own) => new HostUsage(own),
};

class HostUsage implements Detector {
  readonly #settings: Settings;
  readonly #states = RESOURCES.map((resource) => ({
    resource,
    hysteresis: new Hysteresis(),
    sinceMs: 0,
  }));

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const { host } = tick;
    if (!host) return [];
    const findings: Finding[] = [];
    for (const state of this.#states) {
      const signal = tick.signals.find(
        ({ name, baseline }) => name === state.resource.signal && baseline === "ewma",
      );
      if (!signal) continue;
      const above = signal.value >= state.resource.minimum(this.#settings);
      const score = above && signal.ready ? signal.z : 0;
      if (!state.hysteresis.update(score, this.#settings.z, this.#settings.z / 2)) {
        state.sinceMs = tick.elapsedMs;
        continue;
      }
      const seconds = (tick.elapsedMs - state.sinceMs) / 1000;
      findings.push(this.#finding(state.resource, signal, seconds, host, tick));
    }
    return findings;
  }

  #finding(
    resource: Resource,
    signal: SignalState,
    seconds: number,
    host: HostSample,
    tick: Tick,
  ): Finding {
    const { warning_ratio, warning_seconds, z } = this.#settings;
    const grave =
      resource.exhaustible && signal.value >= warning_ratio && seconds >= warning_seconds;
    const { value, mean } = signal;
    const top = [...host.groups].sort((a, b) => resource.share(b) - resource.share(a));
    const culprit = top[0] ? `; the largest part is ${resource.use(top[0])}` : "";
    return {
      entity: { kind: "host", key: resource.signal, signal: resource.signal },
      severity: grave ? "warning" : "info",
      protocol: "none",
      observed: value,
      expected: mean,
      z: signal.z,
      threshold: { value: z, setting: "detectors.host_usage.z" },
      windowSeconds: tick.seconds,
      samples: signal.samples,
      evidence: top.slice(0, 5).map(resource.use),
      explanation: `The ${resource.name} of this host is ${resource.level(value)}, usually ${resource.level(mean)}, for ${duration(seconds)} now${culprit}.`,
      suggestion: {
        wireshark_filter: timeFilter(tick, 10),
        promql: signalQuery(resource.signal),
      },
    };
  }
}
