// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { spreadFloor } from "./baseline/scale.ts";
import type { Detector, DetectorDefinition, Finding, SignalState, Tick } from "./detector.ts";
import { MINUTE, Minutes } from "./minute-drift.ts";
import { protocolFilter, signalQuery } from "./suggestions.ts";
import { number, rate } from "./text.ts";
import { WeekDrift } from "./week-drift.ts";

const settings = z.strictObject({
  limit: z
    .number()
    .gt(0)
    .default(60)
    .describe("Accumulated deviation, in standard deviations, above which a level has drifted."),
  slack: z
    .number()
    .gt(0)
    .default(2.5)
    .describe("Standard deviations of one minute that are forgiven before anything adds up."),
  minimum: z
    .number()
    .gt(0)
    .default(20)
    .describe("Signals below this many packets, messages or flows a second are not looked at."),
  week_ratio: z
    .number()
    .gt(1)
    .default(3)
    .describe("Times the level of a week ago, or fractions of it, that have drifted."),
  week_hours: z.number().gt(0).default(6).describe("Hours for which it must have been that far."),
});
type Settings = z.infer<typeof settings>;

/** A level that creeps: each minute is unremarkable, and hours of them are not. */
export const drift: DetectorDefinition<Settings> = {
  name: "drift",
  class: "volume",
  help: "The minutes of a signal stay on one side of what is usual for so long that its level has moved (two-sided CUSUM), or its level is far from that of the same hour a week ago; this is how a baseline that is being poisoned step by step is noticed.",
  severities: ["info"],
  settings,
  quietSeconds: 60,
  statistical: true,
  alarmsPerWeek: 10,
  create: (own) => new Drift(own),
};

class Drift implements Detector {
  readonly #settings: Settings;
  readonly #signals = new Map<string, Minutes>();
  readonly #weeks: WeekDrift;

  constructor(own: Settings) {
    this.#settings = own;
    this.#weeks = new WeekDrift(own);
  }

  evaluate(tick: Tick): Finding[] {
    const findings: Finding[] = [];
    for (const signal of tick.signals) {
      if (signal.unit === "ratio") continue;
      const finding = this.#weeks.judge(signal, tick) ?? this.#judge(signal, tick);
      if (finding) findings.push(finding);
    }
    return findings;
  }

  #judge(signal: SignalState, tick: Tick): Finding | null {
    if (signal.baseline !== "rolling") return null;
    let minutes = this.#signals.get(signal.name);
    if (!minutes) {
      minutes = new Minutes();
      this.#signals.set(signal.name, minutes);
    }
    if (!minutes.rollUp.add(signal.value, tick.seconds, !tick.tainted)) return null;
    const { mean, clean } = minutes.rollUp.take();
    if (!clean) return null;
    const sum = minutes.add(mean, signal.unit, this.#settings);
    if (sum === 0) return null;
    const expected = minutes.expected(signal.unit);
    const { samples } = minutes;
    minutes.settle(mean, signal.unit);
    const floor = this.#settings.minimum * spreadFloor(signal.unit);
    if (Math.max(mean, expected) < floor) return null;
    return this.#finding(signal, { mean, expected, sum, samples });
  }

  #finding(
    { name, unit, protocol }: SignalState,
    { mean, expected, sum, samples }: Record<"mean" | "expected" | "sum" | "samples", number>,
  ): Finding {
    const direction = sum > 0 ? "up" : "down";
    return {
      entity: { kind: "signal", key: name, signal: name },
      severity: "info",
      protocol,
      observed: mean,
      expected,
      threshold: { value: this.#settings.limit, setting: "detectors.drift.limit" },
      windowSeconds: MINUTE,
      samples,
      evidence: [
        `accumulated deviation ${number(Math.abs(sum))} standard deviations`,
        `level a day ago about ${rate(expected, unit)}, now ${rate(mean, unit)}`,
      ],
      explanation: `${name} has crept ${direction} from about ${rate(expected, unit)} to ${rate(mean, unit)}; the new level is taken for normal from now on.`,
      suggestion: { wireshark_filter: protocolFilter(protocol), promql: signalQuery(name) },
    };
  }
}
