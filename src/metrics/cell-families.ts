// SPDX-License-Identifier: AGPL-3.0-or-later
import { type CellLayout, histogramWidth } from "./cells.ts";
import { type Family, formatBound, type Sample, seriesName } from "./exposition.ts";
import type { MetricDefinition } from "./metric.ts";
import { type SeriesBudget, seriesPerLabelSet } from "./series-budget.ts";

type Labels = Readonly<Record<string, string>>;

/** Reads one series' samples from the cells. */
type Reader = (values: Float64Array) => readonly Sample[];

/**
 * A family whose numbers live in cells. Series names are written once, here, so that a scrape only formats numbers;
 * series beyond the budget are left out.
 */
export function cellFamily(
  definition: MetricDefinition,
  layout: CellLayout,
  budget: SeriesBudget,
): (values: Float64Array) => Family {
  const isHistogram = definition.type === "histogram";
  const readers = layout
    .series(definition)
    .filter(() => budget.take(seriesPerLabelSet(definition)))
    .map(({ labels, slot }) =>
      isHistogram
        ? histogramReader(definition, labels, slot)
        : valueReader(definition, labels, slot),
    );
  const { name, help, type } = definition;
  return (values) => ({ name, help, type, samples: readers.flatMap((read) => read(values)) });
}

function valueReader(definition: MetricDefinition, labels: Labels, slot: number): Reader {
  const series = seriesName(definition.name, labels);
  return (values) => [{ series, value: values[slot] ?? 0 }];
}

function histogramReader(definition: MetricDefinition, labels: Labels, slot: number): Reader {
  const { name, buckets = [] } = definition;
  const bounds = [...buckets, Number.POSITIVE_INFINITY].map((bound) =>
    seriesName(`${name}_bucket`, { ...labels, le: formatBound(bound) }),
  );
  const sum = seriesName(`${name}_sum`, labels);
  const count = seriesName(`${name}_count`, labels);
  const sumSlot = slot + histogramWidth(definition) - 1;
  return (values) => {
    let cumulative = 0;
    const samples: Sample[] = bounds.map((series, bucket) => {
      cumulative += values[slot + bucket] ?? 0;
      return { series, value: cumulative };
    });
    samples.push(
      { series: sum, value: values[sumSlot] ?? 0 },
      { series: count, value: cumulative },
    );
    return samples;
  };
}
