// SPDX-License-Identifier: AGPL-3.0-or-later
import { metricCatalogue } from "../../src/catalogue.ts";
import { processFamilies } from "../../src/metrics/process-metrics.ts";
import { readExpression, type Selector } from "./promql.ts";
import { recordingRules } from "./rules.ts";

/** Label name → its values, null where they are open. */
type Labels = Readonly<Record<string, readonly string[] | null>>;

/** What Prometheus itself adds. */
const TARGET_LABELS: Labels = { job: null, instance: null };
const OF_PROMETHEUS: Readonly<Record<string, Labels>> = {
  up: {},
  scrape_duration_seconds: {},
  scrape_samples_scraped: {},
  ALERTS: { alertname: null, alertstate: ["firing", "pending"], severity: null },
};

/** The metrics that dashboards, rules and documents may name, with their labels. */
export async function knownMetrics(): Promise<Map<string, Labels>> {
  const known = new Map<string, Labels>(Object.entries(OF_PROMETHEUS));
  for (const { name, type, labels = {} } of metricCatalogue()) {
    known.set(name, labels);
    if (type !== "histogram") continue;
    known.set(`${name}_bucket`, { ...labels, le: null });
    known.set(`${name}_sum`, labels);
    known.set(`${name}_count`, labels);
  }
  for (const { name } of await processFamilies()()) known.set(name, {});
  for (const { record } of recordingRules()) known.set(record, labelsOfLevel(record));
  return known;
}

/** How an expression breaks the contract: unknown metrics, labels, or values outside a closed set. */
export function contractProblems(expr: string, known: ReadonlyMap<string, Labels>): string[] {
  const { selectors, groupingLabels } = readExpression(expr);
  const labels = new Set(Object.keys(TARGET_LABELS));
  for (const { metric } of selectors) {
    for (const label of Object.keys(known.get(metric) ?? {})) labels.add(label);
  }
  return [
    ...selectors.flatMap((selector) => selectorProblems(selector, known)),
    ...groupingLabels
      .filter((label) => !labels.has(label))
      .map((label) => `no metric of the expression has label ${label}`),
  ];
}

function selectorProblems(
  { metric, matchers }: Selector,
  known: ReadonlyMap<string, Labels>,
): string[] {
  const own = known.get(metric);
  if (!own) return [`there is no metric ${metric}`];
  const labels: Labels = { ...TARGET_LABELS, ...own };
  return Object.entries(matchers).flatMap(([label, matcher]) => {
    const values = labels[label];
    if (values === undefined) return [`${metric} has no label ${label}`];
    if (values === null) return [];
    return alternatives(matcher)
      .filter((value) => !values.some((one) => new RegExp(`^(?:${value})$`).test(one)))
      .map((value) => `${metric}: ${label} is never ${value}`);
  });
}

/** `=~"a|b"` → a, b. Every alternative must match something, or it is a mistake. */
function alternatives(matcher: string): string[] {
  const text = matcher.replace(/^(=~|!~|!=|=)"|"$/g, "");
  return matcher.includes("~") ? text.split("|") : [text];
}

/** The level in front of a recorded name lists its labels; a job is always among them. */
function labelsOfLevel(record: string): Labels {
  const [level = ""] = record.split(":");
  return Object.fromEntries(level.split("_").map((label) => [label, null]));
}
