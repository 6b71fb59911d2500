// SPDX-License-Identifier: AGPL-3.0-or-later
import { type CellLayout, histogramWidth, observe } from "../../metrics/cells.ts";
import type { MetricDefinition } from "../../metrics/metric.ts";
import { add } from "../../util/typed.ts";
import { AI_TRANSPORTS, type AiCall, NO_PROVIDER, PLAIN_TRANSPORT } from "./ai-call.ts";
import {
  aiCallDuration,
  aiCalls,
  aiCallTtft,
  aiCallUpload,
  aiStreamEpisodes,
  CALL_CATEGORIES,
  CALL_PROVIDERS,
} from "./call-metrics.ts";
import type { FlowNames } from "./flow-names.ts";
import { AI_PAIRS } from "./pairs.ts";

const MS_PER_SECOND = 1000;
const NO_LABEL = { provider: CALL_PROVIDERS.length - 1, category: CALL_CATEGORIES.length - 1 };

/** Counts calls by what they were to and how they went. */
export class CallCounts {
  readonly #layout: CellLayout;
  readonly #counters: Float64Array;
  readonly #names: FlowNames;
  /** By pair: positions of its provider and category among the label values. */
  readonly #labels = AI_PAIRS.map(({ provider, category }) => ({
    provider: CALL_PROVIDERS.indexOf(provider),
    category: CALL_CATEGORIES.indexOf(category),
  }));

  constructor(layout: CellLayout, counters: Float64Array, names: FlowNames) {
    this.#layout = layout;
    this.#counters = counters;
    this.#names = names;
  }

  add(call: AiCall): void {
    const { provider, category } = this.#labelsOf(call.row);
    const calls = this.#layout.base(aiCalls) + provider * AI_TRANSPORTS.length + call.transport;
    add(this.#counters, calls, 1);
    this.#observe(aiCallDuration, category, (call.endMs - call.startMs) / MS_PER_SECOND);
    this.#observe(aiCallTtft, category, call.ttftMs / MS_PER_SECOND);
    this.#observe(aiCallUpload, category, call.upBytes);
    if (call.isStream && isHidden(call)) {
      add(this.#counters, this.#layout.base(aiStreamEpisodes) + category, 1);
    }
  }

  #labelsOf(row: number): { provider: number; category: number } {
    if (row === NO_PROVIDER) return NO_LABEL;
    return this.#labels[this.#names.pair(row)] ?? NO_LABEL;
  }

  #observe(metric: MetricDefinition, category: number, value: number): void {
    const slot = this.#layout.base(metric) + category * histogramWidth(metric);
    observe(this.#counters, slot, metric.buckets ?? [], value);
  }
}

/** False where the server's own words tell that it is a model, and the shape of its reply tells nothing more. */
function isHidden({ row, transport }: AiCall): boolean {
  return row !== NO_PROVIDER || transport !== PLAIN_TRANSPORT;
}
