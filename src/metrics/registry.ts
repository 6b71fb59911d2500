// SPDX-License-Identifier: AGPL-3.0-or-later
import { systemClock } from "../util/clock.ts";
import { NamError } from "../util/errors.ts";
import { cellFamily } from "./cell-families.ts";
import type { CellLayout } from "./cells.ts";
import {
  type Family,
  OPENMETRICS_CONTENT_TYPE,
  renderOpenMetrics,
  renderText,
  TEXT_CONTENT_TYPE,
} from "./exposition.ts";
import {
  type CounterInstrument,
  createCounter,
  createGauge,
  createHistogram,
  type Exposed,
  type GaugeInstrument,
  type HistogramInstrument,
} from "./instruments.ts";
import type { MetricDefinition } from "./metric.ts";
import { MetricNames } from "./metric-names.ts";
import { processFamilies } from "./process-metrics.ts";
import { type Build, buildInfo, seriesExposed, seriesOverflow, startTime } from "./self-metrics.ts";
import { DEFAULT_SERIES_BUDGET, SeriesBudget } from "./series-budget.ts";

export type { CounterInstrument, GaugeInstrument, HistogramInstrument } from "./instruments.ts";

/** Series kept free for `process_*` and `nodejs_*`, whose number prom-client decides. */
const PROCESS_SERIES = 128;

/**
 * Everything that is scraped. Families with closed label sets exist at 0 from the moment they are declared. Numbers
 * that live in cells are handed over at the scrape, not before. Both formats are written from one reading, so scrapes
 * of different formats may overlap.
 */
export class MetricsRegistry {
  readonly #budget: SeriesBudget;
  readonly #nowMs: () => number;
  readonly #definitions: MetricDefinition[] = [];
  readonly #names = new MetricNames();
  readonly #collectors: (() => void)[] = [];
  readonly #families: ((isLast: boolean) => Family | Promise<Family>)[] = [];
  #processFamilies: () => Promise<Family[]> = async () => [];

  /** `nowMs`: monotonic time, the machine's own where it is missing. */
  constructor(options: { readonly seriesBudget?: number; readonly nowMs?: () => number } = {}) {
    this.#nowMs = options.nowMs ?? (() => systemClock.monotonicMs());
    this.#budget = new SeriesBudget(options.seriesBudget ?? DEFAULT_SERIES_BUDGET);
    this.#declare(seriesExposed);
    this.#declare(seriesOverflow);
    this.#budget.take(2);
  }

  counter(definition: MetricDefinition): CounterInstrument {
    return this.#expose(definition, "counter", createCounter);
  }

  gauge(definition: MetricDefinition): GaugeInstrument {
    return this.#expose(definition, "gauge", createGauge);
  }

  histogram(definition: MetricDefinition): HistogramInstrument {
    return this.#expose(definition, "histogram", createHistogram);
  }

  /** Exposes sensor cells: `values` holds totals (counters, histograms) or levels (gauges) by slot. */
  cells(layout: CellLayout, values: Float64Array): void {
    for (const definition of layout.definitions()) {
      this.#declare(definition);
      const family = cellFamily(definition, layout, this.#budget, this.#nowMs);
      this.#families.push((isLast) => family(values, isLast));
    }
  }

  /** Runs before every scrape; for levels that are computed on demand. */
  onCollect(collect: () => void): void {
    this.#collectors.push(collect);
  }

  /** prom-client's own `process_*` and `nodejs_*` families. */
  processMetrics(): void {
    this.#budget.take(PROCESS_SERIES);
    this.#processFamilies = processFamilies();
  }

  /** `nam_build_info` and `nam_start_time_seconds`. */
  buildMetrics(build: Build, startSeconds: number): void {
    this.gauge(buildInfo).set(
      { version: build.version, revision: build.revision, node: process.versions.node },
      1,
    );
    this.gauge(startTime).set({}, startSeconds);
  }

  definitions(): MetricDefinition[] {
    return [...this.#definitions];
  }

  /**
   * One scrape, text 0.0.4 or OpenMetrics 1.0; families in the order of their names. `isLast` for numbers that are written
   * once, to a file: series that appear are not held at 0 there.
   */
  async text(openMetrics: boolean, isLast = false): Promise<{ body: string; contentType: string }> {
    const families = await this.#collect(isLast);
    return openMetrics
      ? { body: renderOpenMetrics(families), contentType: OPENMETRICS_CONTENT_TYPE }
      : { body: renderText(families), contentType: TEXT_CONTENT_TYPE };
  }

  async #collect(isLast: boolean): Promise<Family[]> {
    for (const collect of this.#collectors) collect();
    const processes = this.#withinReserve(await this.#processFamilies());
    const own = await Promise.all(this.#families.map((family) => family(isLast)));
    const families = [...own, ...processes];
    const exposed = families.reduce((sum, { samples }) => sum + samples.length, 2);
    families.push(single(seriesExposed, exposed), single(seriesOverflow, this.#budget.refused));
    return families.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Whole families only: a histogram that lacks its last buckets would be wrong. */
  #withinReserve(families: readonly Family[]): Family[] {
    let left = PROCESS_SERIES;
    return families.filter(({ samples }) => {
      if (samples.length > left) return this.#budget.refuse(samples.length);
      left -= samples.length;
      return true;
    });
  }

  #expose<Instrument>(
    definition: MetricDefinition,
    type: MetricDefinition["type"],
    create: (definition: MetricDefinition, budget: SeriesBudget) => Exposed<Instrument>,
  ): Instrument {
    if (definition.type !== type) {
      throw new NamError(
        "INTERNAL",
        `${definition.name} is declared as ${definition.type}, used as ${type}`,
      );
    }
    this.#declare(definition);
    const { instrument, collect } = create(definition, this.#budget);
    this.#families.push(collect);
    return instrument;
  }

  #declare(definition: MetricDefinition): void {
    this.#names.claim(definition);
    this.#definitions.push(definition);
  }
}

function single({ name, help, type }: MetricDefinition, value: number): Family {
  return { name, help, type, samples: [{ series: name, value }] };
}
