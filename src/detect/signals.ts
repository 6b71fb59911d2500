// SPDX-License-Identifier: AGPL-3.0-or-later
import type { CellLayout } from "../metrics/cells.ts";
import type { SignalDefinition } from "../metrics/metric.ts";
import type { GaugeInstrument, MetricsRegistry } from "../metrics/registry.ts";
import { f64, i32 } from "../util/typed.ts";
import type { EwmaLimits } from "./baseline/guarded-ewma.ts";
import type { BankMemory, SignalMemory } from "./baseline/memory.ts";
import { type Circumstances, Signal } from "./baseline/signal.ts";
import type { HostSample, SignalState } from "./detector.ts";
import { isExposed, signalFamilies } from "./families.ts";

/** The host's own levels: signals like any other. */
const HOST_SIGNALS: readonly { name: string; read(host: HostSample): number }[] = [
  { name: "host_cpu_ratio", read: (host) => host.cpuRatio },
  { name: "host_memory_used_ratio", read: (host) => host.memoryUsedBytes / host.memoryTotalBytes },
  { name: "host_load1_ratio", read: (host) => host.load1 / host.cpus },
];

/** Names of all signals, traffic first. */
export function signalNames(definitions: readonly SignalDefinition[]): string[] {
  return [...definitions, ...HOST_SIGNALS].map(({ name }) => name);
}

/**
 * Turns the counter deltas of windows and the host's levels into signals, scores each against its baselines, and
 * exposes value, score and baseline. The number of series is fixed by the lists.
 */
export class SignalBank {
  readonly #rates: readonly { signal: Signal; slots: Int32Array }[];
  readonly #levels: readonly { signal: Signal; read(host: HostSample): number }[];
  /** Every signal under every baseline; the same objects for ever, rewritten by `update`. */
  readonly states: readonly SignalState[];

  constructor(
    layout: CellLayout,
    definitions: readonly SignalDefinition[],
    limits: EwmaLimits,
    registry: MetricsRegistry,
  ) {
    this.#rates = definitions.map(({ name, unit, metric, where }) => ({
      signal: new Signal({ name, unit, protocol: where?.protocol ?? "all" }, limits),
      slots: Int32Array.from(layout.slots(metric, where)),
    }));
    this.#levels = HOST_SIGNALS.map(({ name, read }) => ({
      signal: new Signal({ name, unit: "ratio", protocol: "none" }, limits),
      read,
    }));
    this.states = [...this.#rates, ...this.#levels].flatMap(({ signal }) => signal.states);
    this.#expose(signalNames(definitions), registry);
  }

  /** Scores a window and, where there is a new one, a host sample; learns from both unless told not to. */
  update(
    counters: Float64Array,
    { seconds, timeMs, learn }: Circumstances,
    host: HostSample | null,
  ): void {
    for (const { signal, slots } of this.#rates) {
      signal.observe(sum(counters, slots) / seconds, { seconds, timeMs, learn });
    }
    if (host) {
      for (const { signal, read } of this.#levels) {
        signal.observe(read(host), { seconds: 1, timeMs, learn });
      }
    }
  }

  /** What every signal's baselines know. */
  remember(): BankMemory {
    return Object.fromEntries(this.memories());
  }

  /** The same, signal by signal, each as of when it is asked for. */
  *memories(): Generator<[name: string, memory: SignalMemory]> {
    for (const { signal } of [...this.#rates, ...this.#levels]) {
      yield [signal.key, signal.remember()];
    }
  }

  /** Goes on from what is remembered of the signals that still exist. */
  recall(memory: BankMemory, isOld: boolean): void {
    for (const { signal } of [...this.#rates, ...this.#levels]) {
      const known = memory[signal.key];
      if (known) signal.recall(known, isOld);
    }
  }

  #expose(names: readonly string[], registry: MetricsRegistry): void {
    const families = signalFamilies(names);
    const value = registry.gauge(families.value);
    const zscore = registry.gauge(families.zscore);
    const perBaseline: readonly [GaugeInstrument, (state: SignalState) => number][] = [
      [registry.gauge(families.mean), ({ mean }) => mean],
      [registry.gauge(families.stddev), ({ stddev }) => stddev],
      [registry.gauge(families.ready), ({ ready }) => (ready ? 1 : 0)],
    ];
    const zscores = families.zscore.has ?? (() => true);
    registry.onCollect(() => {
      for (const state of this.states) {
        const labels = { signal: state.name, baseline: state.baseline };
        if (state.baseline === "rolling") value.set({ signal: state.name }, state.value);
        if (isExposed(state.name, state.baseline)) {
          for (const [gauge, read] of perBaseline) gauge.set(labels, read(state));
        }
        if (zscores(labels)) zscore.set(labels, state.z);
      }
    });
  }
}

function sum(counters: Float64Array, slots: Int32Array): number {
  let total = 0;
  for (let at = 0; at < slots.length; at++) total += f64(counters, i32(slots, at));
  return total;
}
