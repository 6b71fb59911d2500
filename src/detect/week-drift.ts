// SPDX-License-Identifier: AGPL-3.0-or-later
import { spreadFloor } from "./baseline/scale.ts";
import type { Finding, SignalState, Tick } from "./detector.ts";
import { protocolFilter, signalQuery } from "./suggestions.ts";
import { rate } from "./text.ts";

const HOUR_MS = 3_600_000;

/** As in the settings of `drift`. */
interface WeekSettings {
  readonly week_ratio: number;
  readonly week_hours: number;
  readonly minimum: number;
}

/** Levels that are far from those of the same hour a week ago, each told once, until it is near them again. */
export class WeekDrift {
  readonly #settings: WeekSettings;
  /** Since when each signal is far off; the number of signals bounds it. */
  readonly #since = new Map<string, { readonly ms: number; told: boolean }>();

  constructor(own: WeekSettings) {
    this.#settings = own;
  }

  /** Judges one signal under its guarded baseline; the others have no copy of last week. */
  judge(signal: SignalState, { elapsedMs }: Tick): Finding | null {
    const { name, weekAgo } = signal;
    if (weekAgo === null) return null;
    const { week_hours: hours } = this.#settings;
    if (!this.#isFar(signal, weekAgo)) {
      this.#since.delete(name);
      return null;
    }
    const since = this.#since.get(name) ?? { ms: elapsedMs, told: false };
    this.#since.set(name, since);
    if (since.told || elapsedMs - since.ms < hours * HOUR_MS) return null;
    since.told = true;
    return this.#finding(signal, weekAgo);
  }

  #isFar({ mean, unit }: SignalState, weekAgo: number): boolean {
    const { week_ratio: limit, minimum } = this.#settings;
    const floor = spreadFloor(unit);
    const ratio = (mean + floor) / (weekAgo + floor);
    return Math.max(mean, weekAgo) >= minimum * floor && Math.max(ratio, 1 / ratio) >= limit;
  }

  #finding({ name, unit, mean, protocol, samples }: SignalState, weekAgo: number): Finding {
    const { week_ratio: ratio, week_hours: hours } = this.#settings;
    const [before, now] = [rate(weekAgo, unit), rate(mean, unit)];
    return {
      entity: { kind: "signal", key: name, signal: name },
      severity: "info",
      protocol,
      observed: mean,
      expected: weekAgo,
      threshold: { value: ratio, setting: "detectors.drift.week_ratio" },
      windowSeconds: hours * 3600,
      samples,
      evidence: [`at this hour a week ago ${before}, now ${now}, and like this for ${hours} h`],
      explanation: `${name} is at ${now}, and was at ${before} at this hour a week ago: its level went away so slowly that its baseline went along.`,
      suggestion: { wireshark_filter: protocolFilter(protocol), promql: signalQuery(name) },
    };
  }
}
