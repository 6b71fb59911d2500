// SPDX-License-Identifier: AGPL-3.0-or-later
import type { LabelSet, MetricDefinition } from "./metric.ts";

/** Families are never changed, and some have thousands of combinations of which few exist. */
const known = new WeakMap<MetricDefinition, readonly LabelSet[]>();

/** Every combination of a family's label values that exists, the last label fastest; null where a set is not closed. */
export function closedLabelSets(definition: MetricDefinition): readonly LabelSet[] | null {
  const before = known.get(definition);
  if (before !== undefined) return before;
  let rows: LabelSet[] = [{}];
  for (const [label, values] of Object.entries(definition.labels ?? {})) {
    if (values === null) return null;
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [label]: value })));
  }
  const { has } = definition;
  const sets = has ? rows.filter(has) : rows;
  known.set(definition, sets);
  return sets;
}

/** How many there are. They are made for it only where some of the combinations do not exist. */
export function closedLabelSetCount(definition: MetricDefinition): number | null {
  if (definition.has) return closedLabelSets(definition)?.length ?? null;
  let count = 1;
  for (const values of Object.values(definition.labels ?? {})) {
    if (values === null) return null;
    count *= values.length;
  }
  return count;
}
