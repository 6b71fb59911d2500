// SPDX-License-Identifier: AGPL-3.0-or-later
import { spreadFloor } from "./baseline/scale.ts";
import type { Finding, SignalState, Tick } from "./detector.ts";
import { Lasting } from "./lasting.ts";
import { protocolFilter, signalQuery } from "./suggestions.ts";
import { rate } from "./text.ts";

/** As in the settings of `drift`. */
interface WeekSettings {
  readonly week_ratio: number;
  readonly week_hours: number;
  readonly minimum: number;
}

/** Levels that are far from those of the same hour a week ago, each told once, until it is near them again. */
export class WeekDrift {
  readonly #settings: WeekSettings;
  readonly #far: Lasting;

  constructor(own: WeekSettings) {
    this.#settings = own;
    this.#far = new Lasting(own.week_hours);
  }

  /** Judges one signal under its guarded baseline; the others have no copy of last week. */
  judge(signal: SignalState, { elapsedMs }: Tick): Finding | null {
    const { name, weekAgo } = signal;
    if (weekAgo === null) return null;
    const isNews = this.#far.update(name, this.#isFar(signal, weekAgo), elapsedMs);
    return isNews ? this.#finding(signal, weekAgo) : null;
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
