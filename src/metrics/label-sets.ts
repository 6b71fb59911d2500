// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "./metric.ts";

/** Every combination of a family's label values that exists, the last label fastest; null where a set is not closed. */
export function closedLabelSets(definition: MetricDefinition): Record<string, string>[] | null {
  let rows: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(definition.labels ?? {})) {
    if (values === null) return null;
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [label]: value })));
  }
  const { has } = definition;
  return has ? rows.filter(has) : rows;
}
