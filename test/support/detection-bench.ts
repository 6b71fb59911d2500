// SPDX-License-Identifier: AGPL-3.0-or-later
import { detectors } from "../../src/detect/all.ts";
import type {
  Anomaly,
  DetectorContext,
  DetectorDefinition,
  HostSample,
  SignalState,
} from "../../src/detect/detector.ts";
import { DetectionEngine, type EngineOptions } from "../../src/detect/engine.ts";
import type { DetectSettings } from "../../src/detect/settings.ts";
import { CellLayout } from "../../src/metrics/cells.ts";
import { Collectors } from "../../src/metrics/collectors.ts";
import type { MetricDefinition, SignalDefinition } from "../../src/metrics/metric.ts";
import { MetricsRegistry } from "../../src/metrics/registry.ts";
import type { Log } from "../../src/util/log.ts";
import { makeWindow, START_MS, type WindowParts } from "./windows.ts";

/** Protocols of the bench's own counter family; each is a signal `test_<protocol>`. */
export const PROTOCOLS = Array.from({ length: 24 }, (_, at) => `p${at}`);

const packets: MetricDefinition = {
  name: "nam_test_packets_total",
  help: "Packets of the bench.",
  type: "counter",
  labels: { protocol: PROTOCOLS, direction: ["in", "out"] },
};

export const benchSignals: readonly SignalDefinition[] = PROTOCOLS.map((protocol) => ({
  name: `test_${protocol}`,
  help: `Packets of ${protocol}`,
  metric: packets,
  where: { protocol },
  unit: "packets",
}));

const layout = new CellLayout([packets]);

/** What one tick of the bench carries. */
export interface Step extends Omit<WindowParts, "startMs" | "counters"> {
  /** Packets of the window by protocol. */
  readonly packets?: Readonly<Record<string, number>>;
  readonly host?: HostSample;
}

export interface BenchOptions {
  readonly settings?: DetectSettings;
  readonly detectors?: readonly DetectorDefinition<unknown>[];
  readonly context?: Partial<DetectorContext>;
  readonly startMs?: number;
  /** How many of the protocols are signals; all where it is not said. Stories of weeks are told with few. */
  readonly protocols?: number;
  readonly log?: Log;
  readonly watch?: EngineOptions["watch"];
}

/** A detection engine and the packet time it is driven on. Home is 10.0.0.0/8. */
export class DetectionBench {
  readonly registry = new MetricsRegistry({ seriesBudget: 100_000 });
  readonly engine: DetectionEngine;
  readonly events: Anomaly[] = [];
  timeMs: number;

  constructor(options: BenchOptions = {}) {
    this.timeMs = options.startMs ?? START_MS;
    this.engine = new DetectionEngine({
      layout,
      signals: benchSignals.slice(0, options.protocols),
      detectors: options.detectors ?? detectors,
      settings: options.settings ?? {},
      registry: this.registry,
      collectors: new Collectors(this.registry, options.log ?? null),
      context: { isHome: (address) => address.startsWith("10."), ...options.context },
      agent: "bench",
      watch: options.watch,
    });
  }

  /** One window; returns the changes it caused. */
  step(step: Step = {}): Anomaly[] {
    const window = makeWindow({
      ...step,
      startMs: this.timeMs,
      counters: countersOf(step.packets ?? {}),
    });
    this.timeMs = window.endMs;
    const changes = this.engine.tick(window, step.host ?? null);
    this.events.push(...changes);
    return changes;
  }

  /** As many windows as told; returns all changes. */
  run(steps: number, step: Step | ((at: number) => Step) = {}): Anomaly[] {
    const changes: Anomaly[] = [];
    for (let at = 0; at < steps; at++) {
      changes.push(...this.step(typeof step === "function" ? step(at) : step));
    }
    return changes;
  }

  signal(name: string, baseline: SignalState["baseline"]): SignalState {
    const state = this.engine
      .signals()
      .find((candidate) => candidate.name === name && candidate.baseline === baseline);
    if (!state) throw new Error(`no signal ${name}`);
    return state;
  }

  /** Value of one exposed series. */
  async series(line: string): Promise<number> {
    const { body } = await this.registry.text(false);
    const found = body.split("\n").find((candidate) => candidate.startsWith(`${line} `));
    if (!found) throw new Error(`no series ${line}`);
    return Number(found.slice(line.length + 1));
  }
}

function countersOf(counts: Readonly<Record<string, number>>): Float64Array {
  const counters = new Float64Array(layout.size);
  for (const [protocol, count] of Object.entries(counts)) {
    const [slot] = layout.slots(packets, { protocol });
    if (slot === undefined) throw new Error(`no protocol ${protocol}`);
    counters[slot] = count;
  }
  return counters;
}

export function hostSample(timeMs: number, parts: Partial<HostSample> = {}): HostSample {
  return {
    timeMs,
    cpuRatio: 0.05,
    memoryUsedBytes: 2e9,
    memoryTotalBytes: 8e9,
    load1: 0.1,
    cpus: 2,
    groups: [],
    ...parts,
  };
}

/** Uniform numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
