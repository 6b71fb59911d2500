// SPDX-License-Identifier: AGPL-3.0-or-later
import client from "prom-client";
import { NamError } from "../util/errors.ts";
import { EXEMPLAR_LIMIT, type Family } from "./exposition.ts";
import { closedLabelSets } from "./label-sets.ts";
import type { LabelSet, MetricDefinition } from "./metric.ts";
import type { SeriesBudget } from "./series-budget.ts";
import { SeriesSet } from "./series-set.ts";
import { familyOf } from "./stored-family.ts";

/** A counter off the packet path. An exemplar names the event that was counted (OpenMetrics only). */
export interface CounterInstrument {
  inc(labels: LabelSet, amount?: number, exemplar?: LabelSet): void;
  /** Makes a series exist at 0 where its labels come from the configuration. */
  init(labels: LabelSet): void;
}

export interface GaugeInstrument {
  /** A value that is not finite is exposed as 0. */
  set(labels: LabelSet, value: number): void;
  remove(labels: LabelSet): void;
}

export interface HistogramInstrument {
  /** A value that is not finite is left out. */
  observe(labels: LabelSet, value: number): void;
  init(labels: LabelSet): void;
}

/** An instrument and the way to read its family at a scrape. */
export interface Exposed<Instrument> {
  readonly instrument: Instrument;
  collect(): Promise<Family>;
}

export function createCounter(
  definition: MetricDefinition,
  budget: SeriesBudget,
): Exposed<CounterInstrument> {
  const metric = new client.Counter({ ...storeOf(definition), enableExemplars: true });
  const series = new SeriesSet(definition, budget);
  const inc = (labels: LabelSet, value: number, exemplarLabels?: LabelSet): void => {
    if (!(value >= 0 && Number.isFinite(value))) {
      throw new NamError("INTERNAL", `${definition.name} cannot grow by ${value}`);
    }
    if (!series.admit(labels)) return;
    const exemplar = exemplarLabels && fits(exemplarLabels) ? { exemplarLabels } : {};
    metric.inc({ labels, value, ...exemplar });
  };
  for (const labels of closedLabelSets(definition) ?? []) inc(labels, 0);
  return {
    instrument: {
      inc: (labels, value = 1, exemplar) => inc(labels, value, exemplar),
      init: (labels) => inc(labels, 0),
    },
    collect: async () => familyOf(definition, series.isEmpty ? [] : (await metric.get()).values),
  };
}

export function createGauge(
  definition: MetricDefinition,
  budget: SeriesBudget,
): Exposed<GaugeInstrument> {
  const metric = new client.Gauge(storeOf(definition));
  const series = new SeriesSet(definition, budget);
  const set = (labels: LabelSet, value: number): void => {
    if (series.admit(labels)) metric.set(labels, Number.isFinite(value) ? value : 0);
  };
  for (const labels of closedLabelSets(definition) ?? []) set(labels, 0);
  return {
    instrument: {
      set,
      remove: (labels) => {
        if (series.drop(labels)) metric.remove(labels);
      },
    },
    collect: async () => familyOf(definition, series.isEmpty ? [] : (await metric.get()).values),
  };
}

export function createHistogram(
  definition: MetricDefinition,
  budget: SeriesBudget,
): Exposed<HistogramInstrument> {
  const buckets = [...(definition.buckets ?? [])];
  const metric = new client.Histogram({ ...storeOf(definition), buckets });
  const series = new SeriesSet(definition, budget);
  const init = (labels: LabelSet): void => {
    if (!series.has(labels) && series.admit(labels)) metric.zero(labels);
  };
  for (const labels of closedLabelSets(definition) ?? []) init(labels);
  return {
    instrument: {
      observe: (labels, value) => {
        if (Number.isFinite(value) && series.admit(labels)) metric.observe(labels, value);
      },
      init,
    },
    collect: async () => familyOf(definition, series.isEmpty ? [] : (await metric.get()).values),
  };
}

function fits(exemplarLabels: LabelSet): boolean {
  let length = 0;
  for (const [name, value] of Object.entries(exemplarLabels)) length += name.length + value.length;
  return length <= EXEMPLAR_LIMIT;
}

/** prom-client as a store only: it registers nowhere, since its registry can serve one format at a time. */
function storeOf(definition: MetricDefinition): {
  name: string;
  help: string;
  labelNames: string[];
  registers: [];
} {
  const labelNames = Object.keys(definition.labels ?? {});
  return { name: definition.name, help: definition.help, labelNames, registers: [] };
}
