// SPDX-License-Identifier: AGPL-3.0-or-later
import { NamError } from "../util/errors.ts";
import { add } from "../util/typed.ts";
import { closedLabelSetCount, closedLabelSets } from "./label-sets.ts";
import type { LabelSet, MetricDefinition } from "./metric.ts";

/** One series of a family: its label values and the cell that holds its number. */
export interface CellSeries {
  readonly labels: LabelSet;
  readonly slot: number;
}

interface Block {
  readonly definition: MetricDefinition;
  readonly base: number;
  readonly width: number;
  /** Made for the first who asks: those who only count know their cells. */
  series: readonly CellSeries[] | null;
}

/** Histogram cells of one series: one per bound, one for +Inf, then sum. Counts are not cumulative. */
export function histogramWidth(definition: MetricDefinition): number {
  return (definition.buckets?.length ?? 0) + 2;
}

/**
 * Numbers every series of a list of families once, so that the packet path adds to plain array cells and both
 * processes agree on what each cell means. The last label varies fastest. Throws INTERNAL on a label set that
 * is not closed or a name declared twice.
 */
export class CellLayout {
  readonly size: number;
  readonly #blocks = new Map<string, Block>();

  constructor(definitions: readonly MetricDefinition[]) {
    let next = 0;
    for (const definition of definitions) {
      if (this.#blocks.has(definition.name)) {
        throw new NamError("INTERNAL", `metric ${definition.name} is declared twice`);
      }
      const width = definition.type === "histogram" ? histogramWidth(definition) : 1;
      this.#blocks.set(definition.name, { definition, base: next, width, series: null });
      next += seriesOf(definition) * width;
    }
    this.size = next;
  }

  /** First cell of a family. */
  base(definition: MetricDefinition): number {
    return this.#block(definition).base;
  }

  series(definition: MetricDefinition): readonly CellSeries[] {
    const block = this.#block(definition);
    block.series ??= (closedLabelSets(definition) ?? []).map((labels, index) => ({
      labels,
      slot: block.base + index * block.width,
    }));
    return block.series;
  }

  /** The family of this name, undefined where there is none. */
  definition(name: string): MetricDefinition | undefined {
    return this.#blocks.get(name)?.definition;
  }

  definitions(): MetricDefinition[] {
    return [...this.#blocks.values()].map((block) => block.definition);
  }

  /** Cells of the series whose labels match `where`. */
  slots(definition: MetricDefinition, where: LabelSet = {}): number[] {
    const wanted = Object.entries(where);
    return this.series(definition)
      .filter(({ labels }) => wanted.every(([name, value]) => labels[name] === value))
      .map(({ slot }) => slot);
  }

  #block(definition: MetricDefinition): Block {
    const block = this.#blocks.get(definition.name);
    if (!block) throw new NamError("INTERNAL", `metric ${definition.name} is not in the catalogue`);
    return block;
  }
}

function seriesOf(definition: MetricDefinition): number {
  const count = closedLabelSetCount(definition);
  if (count === null) {
    throw new NamError("INTERNAL", `${definition.name}: a label has no closed value set`);
  }
  return count;
}

/** The cells a sensor counts in: `counters` only grow until taken, `gauges` hold the last level. */
export class Cells {
  readonly layout: CellLayout;
  readonly values: Float64Array;

  constructor(layout: CellLayout) {
    this.layout = layout;
    this.values = new Float64Array(layout.size);
  }

  /** What was counted since the last call; the cells start at zero again. */
  take(): Float64Array {
    const taken = this.values.slice();
    this.values.fill(0);
    return taken;
  }

  addAll(deltas: Float64Array): void {
    for (let slot = 0; slot < deltas.length; slot++) add(this.values, slot, deltas[slot] as number);
  }
}

/** Adds one observation to histogram cells that start at `slot`. */
export function observe(
  values: Float64Array,
  slot: number,
  buckets: readonly number[],
  value: number,
): void {
  let bucket = 0;
  while (bucket < buckets.length && value > (buckets[bucket] as number)) bucket++;
  add(values, slot + bucket, 1);
  add(values, slot + buckets.length + 1, value);
}
