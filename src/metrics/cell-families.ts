// SPDX-License-Identifier: AGPL-3.0-or-later
import { type CellLayout, type CellSeries, histogramWidth } from "./cells.ts";
import { type Family, formatBound, type Sample, seriesName } from "./exposition.ts";
import type { LabelSet, MetricDefinition } from "./metric.ts";
import { type SeriesBudget, seriesPerLabelSet } from "./series-budget.ts";

/** Reads one series' samples from the cells. */
type Reader = (values: Float64Array) => readonly Sample[];

/** `isLast`: nothing reads the family again, so that what appears is told as it is, and not at 0 for a while. */
export type CellFamily = (values: Float64Array, isLast: boolean) => Family;

const FROM_THE_START = "";
/**
 * Whoever asks within this time after the first who could see a series sees it at 0: two scrapes at the longest interval that
 * the rules of prometheus/ promise to work with, so that several servers see the first event.
 */
export const ZERO_MS = 30_000;
const ZEROS = new Float64Array(0);

/**
 * A family whose numbers live in cells. Series names are written once, here, so that a scrape only formats numbers;
 * series beyond the budget are left out.
 */
export function cellFamily(
  definition: MetricDefinition,
  layout: CellLayout,
  budget: SeriesBudget,
  nowMs: () => number,
): CellFamily {
  const { name, help, type, appearsWith } = definition;
  const groups = new Map<string, CellSeries[]>();
  for (const series of layout.series(definition)) {
    const group = appearsWith?.(series.labels) ?? FROM_THE_START;
    groups.set(group, [...(groups.get(group) ?? []), series]);
  }
  const readers: ((values: Float64Array, isLast: boolean) => readonly Sample[])[] = [];
  for (const [group, series] of groups) {
    if (group === FROM_THE_START) {
      const admitted = series.filter(() => budget.take(seriesPerLabelSet(definition)));
      readers.push(...admitted.map((one) => readerOf(definition, one)));
    } else {
      const appearing = new AppearingSeries(definition, series, budget, nowMs);
      readers.push((values, isLast) => appearing.read(values, isLast));
    }
  }
  return (values, isLast) => ({
    ...{ name, help, type },
    samples: readers.flatMap((read) => read(values, isLast)),
  });
}

/** Series that are exposed together once one of them has counted. */
class AppearingSeries {
  readonly #series: readonly CellSeries[];
  readonly #readers: readonly Reader[];
  readonly #size: number;
  readonly #cells: number;
  readonly #budget: SeriesBudget;
  readonly #nowMs: () => number;
  #state: "unused" | "at_zero" | "exposed" | "refused" = "unused";
  #sinceMs = 0;

  constructor(
    definition: MetricDefinition,
    series: readonly CellSeries[],
    budget: SeriesBudget,
    nowMs: () => number,
  ) {
    this.#nowMs = nowMs;
    this.#series = series;
    this.#readers = series.map((one) => readerOf(definition, one));
    this.#size = series.length * seriesPerLabelSet(definition);
    this.#cells = definition.type === "histogram" ? histogramWidth(definition) : 1;
    this.#budget = budget;
  }

  read(values: Float64Array, isLast: boolean): readonly Sample[] {
    if (this.#state === "unused" && this.#isUsed(values)) this.#begin();
    if (this.#state === "at_zero" && this.#nowMs() - this.#sinceMs >= ZERO_MS) {
      this.#state = "exposed";
    }
    switch (this.#state) {
      case "exposed":
        return this.#samples(values);
      case "at_zero":
        return this.#samples(isLast ? values : ZEROS);
      default:
        return [];
    }
  }

  #begin(): void {
    this.#state = this.#budget.take(this.#size) ? "at_zero" : "refused";
    this.#sinceMs = this.#nowMs();
  }

  #samples(values: Float64Array): readonly Sample[] {
    return this.#readers.flatMap((read) => read(values));
  }

  #isUsed(values: Float64Array): boolean {
    return this.#series.some(({ slot }) =>
      values.subarray(slot, slot + this.#cells).some((value) => value !== 0),
    );
  }
}

function readerOf(definition: MetricDefinition, { labels, slot }: CellSeries): Reader {
  return definition.type === "histogram"
    ? histogramReader(definition, labels, slot)
    : valueReader(definition, labels, slot);
}

function valueReader(definition: MetricDefinition, labels: LabelSet, slot: number): Reader {
  const series = seriesName(definition.name, labels);
  return (values) => [{ series, value: values[slot] ?? 0 }];
}

function histogramReader(definition: MetricDefinition, labels: LabelSet, slot: number): Reader {
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
