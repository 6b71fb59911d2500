// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import type { BudgetState, Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { timeFilter } from "./suggestions.ts";
import { count, duration, number } from "./text.ts";

const settings = z.strictObject({
  factor: z
    .number()
    .gt(1)
    .default(5)
    .describe(
      "How many times the expected number of a week a detector may open before it is told.",
    ),
  hours: z
    .number()
    .gt(0)
    .default(24)
    .describe("Hours for which it must have been that many: a bad day is no wrong setting."),
});
type Settings = z.infer<typeof settings>;

const HOUR_MS = 3_600_000;
const WEEK_SECONDS = 7 * 86_400;

/** A detector that cries wolf. */
export const overBudget: DetectorDefinition<Settings> = {
  name: "over_budget",
  class: "agent",
  help: "A detector opens many times the anomalies a week that it is expected to open where nothing is wrong: its settings do not fit this network, or the network is under siege. Told once, until it is back within its budget.",
  severities: ["info"],
  settings,
  quietSeconds: 60,
  create: (own) => new OverBudget(own),
};

class OverBudget implements Detector {
  readonly #settings: Settings;
  /** Since when each detector is beyond its budget; the number of detectors bounds it. */
  readonly #since = new Map<string, { readonly ms: number; told: boolean }>();

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    return tick.budgets.flatMap((budget) => this.#judge(budget, tick));
  }

  #judge(budget: BudgetState, tick: Tick): Finding[] {
    const { factor, hours } = this.#settings;
    if (budget.observed <= factor * budget.expected) {
      this.#since.delete(budget.detector);
      return [];
    }
    const since = this.#since.get(budget.detector) ?? { ms: tick.elapsedMs, told: false };
    this.#since.set(budget.detector, since);
    if (since.told || tick.elapsedMs - since.ms < hours * HOUR_MS) return [];
    since.told = true;
    return [this.#finding(budget, tick)];
  }

  #finding({ detector, expected, observed }: BudgetState, tick: Tick): Finding {
    const { factor, hours } = this.#settings;
    return {
      entity: { kind: "agent", key: `budget of ${detector}` },
      severity: "info",
      protocol: "all",
      observed,
      expected,
      threshold: { value: factor, setting: "detectors.over_budget.factor" },
      windowSeconds: WEEK_SECONDS,
      samples: observed,
      evidence: [
        `${detector} opened ${count(observed, "anomaly", "anomalies")} in the last week, expected are about ${number(expected)}`,
        `more than ${number(factor)} times its budget for ${duration(hours * 3600)}`,
      ],
      explanation: `${detector} raised ${count(observed, "anomaly", "anomalies")} in a week, where about ${number(expected)} would be usual for it: its settings under detectors.${detector} do not fit this network, or something is badly wrong.`,
      suggestion: {
        wireshark_filter: timeFilter(tick, hours * 3600),
        promql: `nam_anomaly_observed_per_week{detector="${detector}"} / nam_anomaly_expected_per_week{detector="${detector}"}`,
      },
    };
  }
}
