// SPDX-License-Identifier: AGPL-3.0-or-later
import client from "prom-client";
import { NamError } from "../util/errors.ts";
import { type CellLayout, histogramWidth } from "./cells.ts";
import type { MetricDefinition } from "./metric.ts";

type Labels = Readonly<Record<string, string>>;

/** A counter off the packet path. An exemplar names the event that was counted (OpenMetrics only). */
export interface CounterInstrument {
  inc(labels: Labels, amount?: number, exemplar?: Labels): void;
  /** Makes a series exist at 0 where its labels come from the configuration. */
  init(labels: Labels): void;
}

export interface GaugeInstrument {
  set(labels: Labels, value: number): void;
  remove(labels: Labels): void;
}

export interface HistogramInstrument {
  observe(labels: Labels, value: number): void;
  init(labels: Labels): void;
}

/**
 * Everything that is scraped, and the only file that knows prom-client. Families with closed label sets exist at
 * 0 from the moment they are declared. Numbers that live in cells are handed over at the scrape, not before.
 */
export class MetricsRegistry {
  readonly #registry = new client.Registry<client.OpenMetricsContentType>();
  readonly #definitions = new Map<string, MetricDefinition>();
  readonly #collectors: (() => void)[] = [];

  constructor() {
    // Exemplars need the OpenMetrics registry type; `text` serves the classic format from the same families.
    this.#registry.setContentType(client.Registry.OPENMETRICS_CONTENT_TYPE);
  }

  counter(definition: MetricDefinition): CounterInstrument {
    this.#declare(definition);
    const metric = new client.Counter({
      name: definition.name,
      help: definition.help,
      labelNames: labelNames(definition),
      registers: [this.#registry],
      enableExemplars: true,
    });
    for (const labels of closedLabelSets(definition)) metric.inc({ labels, value: 0 });
    return {
      inc: (labels, value = 1, exemplarLabels) =>
        metric.inc(exemplarLabels ? { labels, value, exemplarLabels } : { labels, value }),
      init: (labels) => metric.inc({ labels, value: 0 }),
    };
  }

  gauge(definition: MetricDefinition): GaugeInstrument {
    this.#declare(definition);
    const metric = new client.Gauge({
      name: definition.name,
      help: definition.help,
      labelNames: labelNames(definition),
      registers: [this.#registry],
    });
    for (const labels of closedLabelSets(definition)) metric.set(labels, 0);
    return {
      set: (labels, value) => metric.set(labels, Number.isFinite(value) ? value : 0),
      remove: (labels) => metric.remove(labels),
    };
  }

  histogram(definition: MetricDefinition): HistogramInstrument {
    this.#declare(definition);
    const metric = new client.Histogram({
      name: definition.name,
      help: definition.help,
      labelNames: labelNames(definition),
      buckets: [...(definition.buckets ?? [])],
      registers: [this.#registry],
      enableExemplars: true,
    });
    for (const labels of closedLabelSets(definition)) metric.zero(labels);
    return {
      observe: (labels, value) => metric.observe({ labels, value }),
      init: (labels) => metric.zero(labels),
    };
  }

  /** Exposes sensor cells: `values` holds totals (counters, histograms) or levels (gauges) by slot. */
  cells(layout: CellLayout, values: Float64Array): void {
    for (const definition of layout.definitions()) {
      this.#declare(definition);
      this.#registry.registerMetric(new CellMetric(definition, layout, values) as never);
    }
  }

  /** Runs before every scrape; for levels that are computed on demand. */
  onCollect(collect: () => void): void {
    this.#collectors.push(collect);
  }

  /** prom-client's own `process_*` and `nodejs_*` families. */
  processMetrics(): void {
    client.collectDefaultMetrics({ register: this.#registry as never });
  }

  definitions(): MetricDefinition[] {
    return [...this.#definitions.values()];
  }

  /** One scrape, text 0.0.4 or OpenMetrics 1.0. */
  async text(openMetrics: boolean): Promise<{ body: string; contentType: string }> {
    for (const collect of this.#collectors) collect();
    const type = openMetrics
      ? client.Registry.OPENMETRICS_CONTENT_TYPE
      : client.Registry.PROMETHEUS_CONTENT_TYPE;
    const registry = this.#registry as unknown as client.Registry;
    registry.setContentType(type as never);
    return { body: await registry.metrics(), contentType: type };
  }

  #declare(definition: MetricDefinition): void {
    if (this.#definitions.has(definition.name)) {
      throw new NamError("INTERNAL", `metric ${definition.name} is declared twice`);
    }
    this.#definitions.set(definition.name, definition);
  }
}

function labelNames(definition: MetricDefinition): string[] {
  return Object.keys(definition.labels ?? {});
}

function closedLabelSets(definition: MetricDefinition): Record<string, string>[] {
  let rows: Record<string, string>[] = [{}];
  for (const [name, values] of Object.entries(definition.labels ?? {})) {
    if (values === null) return [];
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value })));
  }
  return rows;
}

interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

/** The part of prom-client's metric interface that `Registry.metrics()` uses, read from cells. */
class CellMetric {
  readonly name: string;
  readonly #definition: MetricDefinition;
  readonly #layout: CellLayout;
  readonly #values: Float64Array;

  constructor(definition: MetricDefinition, layout: CellLayout, values: Float64Array) {
    this.name = definition.name;
    this.#definition = definition;
    this.#layout = layout;
    this.#values = values;
  }

  get(): { name: string; help: string; type: string; aggregator: string; values: Sample[] } {
    const { name, help, type } = this.#definition;
    return { name, help, type, aggregator: "sum", values: this.#samples() };
  }

  reset(): void {}

  #samples(): Sample[] {
    const series = this.#layout.series(this.#definition);
    if (this.#definition.type === "histogram") {
      return series.flatMap(({ labels, slot }) => this.#histogram(labels, slot));
    }
    return series.map(({ labels, slot }) => ({ labels, value: this.#values[slot] ?? 0 }));
  }

  #histogram(labels: Labels, slot: number): Sample[] {
    const { name, buckets = [] } = this.#definition;
    const samples: Sample[] = [];
    let cumulative = 0;
    for (let bucket = 0; bucket <= buckets.length; bucket++) {
      cumulative += this.#values[slot + bucket] ?? 0;
      const le = bucket < buckets.length ? String(buckets[bucket]) : "+Inf";
      samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: cumulative });
    }
    const sum = this.#values[slot + histogramWidth(this.#definition) - 1] ?? 0;
    samples.push({ metricName: `${name}_sum`, labels, value: sum });
    samples.push({ metricName: `${name}_count`, labels, value: cumulative });
    return samples;
  }
}
