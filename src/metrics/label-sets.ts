// SPDX-License-Identifier: AGPL-3.0-or-later
import type { LabelSet, MetricDefinition } from "./metric.ts";

/** Families are never changed, and some have thousands of combinations of which few exist. */
const known = new WeakMap<MetricDefinition, readonly LabelSet[]>();

/** Every combination of a family's label values that exists, the last label fastest; null where a set is not closed. */
export function closedLabelSets(definition: MetricDefinition): readonly LabelSet[] | null {
  const before = known.get(definition);
  if (before !== undefined) return before;
  if (combinationCount(definition) === null) return null;
  const labels = Object.entries(definition.labels ?? {}) as [string, readonly string[]][];
  const sets: LabelSet[] = [];
  combine(labels, 0, {}, definition.has ?? (() => true), sets);
  known.set(definition, sets);
  return sets;
}

/** Adds to `sets` what `has` admits of the combinations that begin with the labels of `set` before `position`. */
function combine(
  labels: readonly (readonly [string, readonly string[]])[],
  position: number,
  set: Record<string, string>,
  has: (labels: LabelSet) => boolean,
  sets: LabelSet[],
): void {
  const label = labels[position];
  if (label === undefined) {
    if (has(set)) sets.push({ ...set });
    return;
  }
  const [name, values] = label;
  for (const value of values) {
    set[name] = value;
    combine(labels, position + 1, set, has, sets);
  }
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
