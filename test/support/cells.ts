// SPDX-License-Identifier: AGPL-3.0-or-later
import { type CellLayout, histogramWidth } from "../../src/metrics/cells.ts";
import type { MetricDefinition } from "../../src/metrics/metric.ts";

/** Sum of a family's cells whose labels match. */
export function cellValue(
  layout: CellLayout,
  values: Float64Array,
  name: string,
  where: Readonly<Record<string, string>> = {},
): number {
  const definition = layout.definitions().find((one) => one.name === name);
  if (!definition) throw new Error(`no metric ${name}`);
  return layout.slots(definition, where).reduce((sum, slot) => sum + (values[slot] ?? 0), 0);
}

/** Counts of a histogram without labels, not cumulative and +Inf last, and its sum. */
export function cellHistogram(
  layout: CellLayout,
  values: Float64Array,
  definition: MetricDefinition,
): { counts: number[]; sum: number } {
  const from = layout.base(definition);
  const to = from + histogramWidth(definition) - 1;
  return { counts: [...values.slice(from, to)], sum: values[to] ?? 0 };
}
