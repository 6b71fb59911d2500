// SPDX-License-Identifier: AGPL-3.0-or-later
import type { LabelSet, MetricDefinition } from "./metric.ts";

/** Families are never changed, and some have thousands of combinations of which few exist. */
const known = new WeakMap<MetricDefinition, readonly LabelSet[]>();

/** Every combination of a family's label values that exists, the last label fastest; null where a set is not closed. */
export function closedLabelSets(definition: MetricDefinition): readonly LabelSet[] | null {
  const before = known.get(definition);
  if (before !== undefined) return before;
  const count = combinationCount(definition);
  if (count === null) return null;
  const labels = Object.entries(definition.labels ?? {}) as [string, readonly string[]][];
  const rows = Array.from({ length: count }, (_, index) => labelSet(labels, index, count));
  const { has } = definition;
  const sets = has ? rows.filter(has) : rows;
  known.set(definition, sets);
  return sets;
}

/** How many there are. They are made for it only where some of the combinations do not exist. */
export function closedLabelSetCount(definition: MetricDefinition): number | null {
  return definition.has
    ? (closedLabelSets(definition)?.length ?? null)
    : combinationCount(definition);
}

function combinationCount({ labels = {} }: MetricDefinition): number | null {
  let count = 1;
  for (const values of Object.values(labels)) {
    if (values === null) return null;
    count *= values.length;
  }
  return count;
}

function labelSet(
  labels: readonly (readonly [string, readonly string[]])[],
  index: number,
  count: number,
): LabelSet {
  const set: Record<string, string> = {};
  let stride = count;
  for (const [label, values] of labels) {
    stride /= values.length;
    set[label] = values[Math.floor(index / stride) % values.length] as string;
  }
  return set;
}
