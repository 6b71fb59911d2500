// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { WEEK_SECONDS } from "./alarm-budget.ts";
import type { BudgetState, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { Lasting } from "./lasting.ts";
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

/** A detector that cries wolf. */
export const overBudget: DetectorDefinition<Settings> = {
  name: "over_budget",
  class: "agent",
  help: "A detector opens many times the anomalies a week that it is expected to open where nothing is wrong: its settings do not fit this network, or the network is under siege. Told once, until it is back within its budget.",
  severities: ["info"],
  settings,
  quietSeconds: 60,
  create: (own) => {
    const beyond = new Lasting(own.hours);
    const isNews = ({ detector, observed, expected }: BudgetState, { elapsedMs }: Tick): boolean =>
      beyond.update(detector, observed > own.factor * expected, elapsedMs);
    return {
      evaluate: (tick) =>
        tick.budgets
          .filter((budget) => isNews(budget, tick))
          .map((budget) => findingOf(budget, own, tick)),
    };
  },
};

function findingOf(
  { detector, expected, observed }: BudgetState,
  { factor, hours }: Settings,
  tick: Tick,
): Finding {
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
      `${detector} opened ${count(observed, "anomaly", "anomalies")} in the last week, its budget is ${number(expected)}`,
      `more than ${number(factor)} times its budget for ${duration(hours * 3600)}`,
    ],
    explanation: `${detector} raised ${count(observed, "anomaly", "anomalies")} in a week, where its budget is ${number(expected)}: its settings under detectors.${detector} do not fit this network, or something is badly wrong.`,
    suggestion: {
      wireshark_filter: timeFilter(tick, hours * 3600),
      promql: `nam_anomaly_observed_per_week{detector="${detector}"} / nam_anomaly_expected_per_week{detector="${detector}"}`,
    },
  };
}
