// SPDX-License-Identifier: AGPL-3.0-or-later
import { metricCatalogue } from "../../src/catalogue.ts";
import type { MetricDefinition } from "../../src/metrics/metric.ts";
import { DEFAULT_SERIES_BUDGET } from "../../src/metrics/series-budget.ts";
import { code, page, sentence, table } from "./markdown.ts";

/** Longer lists of values stand once, below the table. */
const INLINE_VALUES = 12;

export function metricsDocument(): string {
  const metrics = metricCatalogue();
  const rows = metrics.map((metric) => [
    code(metric.name),
    metric.type,
    labels(metric),
    sentence(metric.help),
  ]);
  return page(
    "# Metrics",
    "Served at `/metrics` as Prometheus text 0.0.4 or OpenMetrics 1.0, by the `Accept` header. Every family and every " +
      "series whose labels are known exists at 0 from the start, so that `increase()` sees the first event. Labels " +
      "come from closed lists: never an address, a name, a domain, a fingerprint or a process ID. The number of " +
      `series is bounded by ${DEFAULT_SERIES_BUDGET}; what would not fit is counted in \`nam_series_overflow_total\`. ` +
      "`nam_anomaly_events_total` carries the newest event's `event_id` as an exemplar in OpenMetrics.",
    "Besides these, `process_*` and `nodejs_*` describe the monitor process itself. A label without values here has one " +
      "for each interface, channel or group there is.",
    table(["Name", "Type", "Labels", "Meaning"], rows),
    "## Values of long labels",
    ...longSets(metrics),
  );
}

function labels({ labels = {}, buckets }: MetricDefinition): string {
  const parts = Object.entries(labels).map(([name, values]) => {
    if (values === null) return code(name);
    const isLong = values.length > INLINE_VALUES;
    return isLong
      ? `${code(name)} (${values.length}, below)`
      : `${code(name)}: ${values.join(", ")}`;
  });
  if (buckets) parts.push(`buckets ${buckets.join(", ")}`);
  return parts.join("; ");
}

/** Each long list once, with the families that have it. */
function longSets(metrics: readonly MetricDefinition[]): string[] {
  const sets = new Map<string, { readonly label: string; readonly families: string[] }>();
  for (const { name, labels = {} } of metrics) {
    for (const [label, values] of Object.entries(labels)) {
      if (values === null || values.length <= INLINE_VALUES) continue;
      const key = values.join(", ");
      const set = sets.get(key) ?? { label, families: [] };
      set.families.push(code(name));
      sets.set(key, set);
    }
  }
  return [...sets].map(
    ([values, { label, families }]) => `${code(label)} of ${families.join(", ")}: ${values}.`,
  );
}
