// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import { Cusum } from "./baseline/cusum.ts";
import { RollUp } from "./baseline/roll-up.ts";
import { spreadFloor } from "./baseline/scale.ts";
import type { Detector, DetectorDefinition, Finding, SignalState, Tick } from "./detector.ts";
import { protocolFilter, signalQuery } from "./suggestions.ts";
import { number, rate } from "./text.ts";

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
});
type Settings = z.infer<typeof settings>;

/** Deviations are judged in natural logarithms of rates: this is a quarter more or less. */
const SIGMA_FLOOR = 0.25;
const MINUTE = 60;
/** Time constants of the reference and of its spread: a day, in minutes. */
const SPREAD_RATE = 1 / 1440;
const REFERENCE_RATE = 1 / 1440;
const READY_MINUTES = 120;
/** √(π/2): turns the mean absolute deviation of a Gaussian into its standard deviation. */
const DEVIATION_TO_SIGMA = Math.sqrt(Math.PI / 2);
const WINSOR = 4;

/** A level that creeps: each minute is unremarkable, and hours of them are not. */
export const drift: DetectorDefinition<Settings> = {
  name: "drift",
  class: "volume",
  help: "The minutes of a signal stay on one side of what is usual for so long that its level has moved, however slowly (two-sided CUSUM); this is also how a baseline that is being poisoned step by step is noticed.",
  severities: ["info"],
  settings,
  quietSeconds: 60,
  statistical: true,
  alarmsPerWeek: 10,
  create: (own) => new Drift(own),
};

/** One signal's minutes against a reference that takes a day to follow. */
class Minutes {
  readonly rollUp = new RollUp(MINUTE);
  readonly #cusum = new Cusum();
  #count = 0;
  #reference = 0;
  #deviation = 0;

  get samples(): number {
    return this.#count;
  }

  /** The reference in the signal's unit. */
  expected(unit: string): number {
    return Math.expm1(this.#reference) * spreadFloor(unit);
  }

  /** Takes a minute's mean; returns the sum where it passed the limit, which starts over from the new level. */
  add(mean: number, unit: string, own: Settings): number {
    const sample = Math.log1p(mean / spreadFloor(unit));
    const distance = this.#count === 0 ? 0 : sample - this.#reference;
    if (this.#count === 0) this.#reference = sample;
    this.#count++;
    const sigma = Math.max(DEVIATION_TO_SIGMA * this.#deviation, SIGMA_FLOOR);
    const warm = this.#count > READY_MINUTES;
    const score = Math.min(WINSOR, Math.max(-WINSOR, distance / sigma));
    const step = warm ? score * sigma : distance;
    this.#reference += Math.max(REFERENCE_RATE, 1 / this.#count) * step;
    this.#deviation += Math.max(SPREAD_RATE, 1 / this.#count) * (Math.abs(step) - this.#deviation);
    if (!warm) return 0;
    const sum = this.#cusum.add(score, own.slack);
    return Math.abs(sum) > own.limit ? sum : 0;
  }

  /** Takes the level of now for normal. */
  settle(mean: number, unit: string): void {
    this.#cusum.reset();
    this.#reference = Math.log1p(mean / spreadFloor(unit));
  }
}

class Drift implements Detector {
  readonly #settings: Settings;
  readonly #signals = new Map<string, Minutes>();

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const findings: Finding[] = [];
    for (const signal of tick.signals) {
      if (signal.baseline !== "rolling" || signal.unit === "ratio") continue;
      const finding = this.#judge(signal, tick);
      if (finding) findings.push(finding);
    }
    return findings;
  }

  #judge(signal: SignalState, tick: Tick): Finding | null {
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
