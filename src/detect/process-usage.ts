// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { type EwmaLimits, GuardedEwma } from "./baseline/guarded-ewma.ts";
import { RATIO_SCALE } from "./baseline/scale.ts";
import { BoundedMap } from "./bounded-map.ts";
import type {
  Detector,
  DetectorDefinition,
  Finding,
  HostSample,
  ProcessGroup,
  Tick,
} from "./detector.ts";
import { Hysteresis } from "./guards.ts";
import { timeFilter } from "./suggestions.ts";
import { bytes, count, percent } from "./text.ts";

/** Groups that have a baseline; the one not seen for longest is forgotten first. */
const CAPACITY = 64;
/** The sampler's name for everything that is not a group of its own. */
const OTHER = "other";

const ratio = z.number().min(0).max(1);

const settings = z.strictObject({
  z: z
    .number()
    .gt(0)
    .default(6)
    .describe(
      "Standard deviations above a group's own baseline, in 3 of 5 samples, that are told.",
    ),
  minimum_cpu_ratio: ratio
    .default(0.25)
    .describe("CPU use of a group below this share of all processors is never told."),
  minimum_memory_ratio: ratio
    .default(0.2)
    .describe("Memory use of a group below this share of all memory is never told."),
  warmup_seconds: z
    .int()
    .min(60)
    .default(600)
    .describe("Seconds the host is watched before any group is judged."),
  freeze_seconds: z
    .int()
    .min(60)
    .default(1800)
    .describe("Longest time a group's changed use is held to be abnormal."),
});
type Settings = z.infer<typeof settings>;

/** A group of processes that uses far more than it ever did. */
export const processUsage: DetectorDefinition<Settings> = {
  name: "process_usage",
  class: "host",
  help: "Processes of one name use far more CPU or memory than they ever did on this host, or appear for the first time and use much.",
  severities: ["info"],
  settings,
  quietSeconds: 60,
  alarmsPerWeek: 20,
  create: (own) => new ProcessUsage(own),
};

interface Use {
  readonly baseline: GuardedEwma;
  readonly hysteresis: Hysteresis;
}

interface Group {
  readonly cpu: Use;
  readonly memory: Use;
}

class ProcessUsage implements Detector {
  readonly #settings: Settings;
  readonly #limits: EwmaLimits;
  readonly #groups = new BoundedMap<Group>(CAPACITY);
  #samples = 0;

  constructor(own: Settings) {
    this.#settings = own;
    this.#limits = { warmupSamples: own.warmup_seconds, freezeSamples: own.freeze_seconds };
  }

  evaluate(tick: Tick): Finding[] {
    const { host } = tick;
    if (!host || host.groups.length === 0) return [];
    const findings: Finding[] = [];
    for (const group of host.groups) {
      if (group.name === OTHER) continue;
      const known = this.#groups.use(group.name, () => this.#newGroup());
      findings.push(...this.#judge(known, group, host, tick));
    }
    this.#absent(host);
    this.#samples++;
    return findings;
  }

  #judge(known: Group, group: ProcessGroup, host: HostSample, tick: Tick): Finding[] {
    const { z, minimum_cpu_ratio, minimum_memory_ratio } = this.#settings;
    const memory = group.memoryBytes / host.memoryTotalBytes;
    const findings: Finding[] = [];
    for (const { use, value, minimum, name } of [
      { use: known.cpu, value: group.cpuRatio, minimum: minimum_cpu_ratio, name: "CPU" as const },
      { use: known.memory, value: memory, minimum: minimum_memory_ratio, name: "memory" as const },
    ]) {
      const { ready, mean } = use.baseline;
      const score = use.baseline.observe(value, true);
      const judged = ready && value >= minimum ? score : 0;
      if (!use.hysteresis.update(judged, z, z / 2)) continue;
      findings.push(this.#finding(group, { name, value, mean, score }, use.baseline.samples, tick));
    }
    return findings;
  }

  /** Groups that are not among the largest now use next to nothing. */
  #absent({ groups }: HostSample): void {
    for (const [name, { cpu, memory }] of this.#groups.entries()) {
      if (groups.some((group) => group.name === name)) continue;
      for (const { baseline, hysteresis } of [cpu, memory]) {
        baseline.observe(0, true);
        hysteresis.update(0, 1, 1);
      }
    }
  }

  /** A group that appears now used next to nothing for as long as this host has been watched. */
  #newGroup(): Group {
    return { cpu: this.#unused(), memory: this.#unused() };
  }

  #unused(): Use {
    const baseline = new GuardedEwma(this.#limits, RATIO_SCALE);
    const watched = Math.min(this.#samples, this.#limits.warmupSamples);
    for (let sample = 0; sample < watched; sample++) baseline.observe(0, true);
    return { baseline, hysteresis: new Hysteresis() };
  }

  #finding(
    group: ProcessGroup,
    use: { name: "CPU" | "memory"; value: number; mean: number; score: number },
    samples: number,
    tick: Tick,
  ): Finding {
    const metric = use.name === "CPU" ? "cpu_ratio" : "memory_bytes";
    return {
      entity: { kind: "process", key: `${group.name} ${use.name}`, process: group.name },
      severity: "info",
      protocol: "none",
      observed: use.value,
      expected: use.mean,
      z: use.score,
      threshold: { value: this.#settings.z, setting: "detectors.process_usage.z" },
      windowSeconds: tick.seconds,
      samples,
      evidence: [
        `${group.name}: ${count(group.processes, "process", "processes")}, ${percent(group.cpuRatio)} of all CPU, ${bytes(group.memoryBytes)}`,
      ],
      explanation: `${group.name} uses ${percent(use.value)} of this host's ${use.name}, usually ${percent(use.mean)}: more than it ever did here.`,
      suggestion: {
        wireshark_filter: timeFilter(tick, 10),
        promql: `nam_process_group_${metric}{group="${group.name}"}`,
      },
    };
  }
}
