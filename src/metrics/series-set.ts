// SPDX-License-Identifier: AGPL-3.0-or-later
import { NamError } from "../util/errors.ts";
import type { LabelSet, MetricDefinition } from "./metric.ts";
import { type SeriesBudget, seriesPerLabelSet } from "./series-budget.ts";

/** The series of one family that are exposed: label sets as declared, and within the budget. */
export class SeriesSet {
  readonly #definition: MetricDefinition;
  readonly #names: readonly string[];
  readonly #width: number;
  readonly #budget: SeriesBudget;
  readonly #keys = new Set<string>();

  constructor(definition: MetricDefinition, budget: SeriesBudget) {
    this.#definition = definition;
    this.#names = Object.keys(definition.labels ?? {});
    this.#width = seriesPerLabelSet(definition);
    this.#budget = budget;
  }

  /**
   * True when the series exists or may begin to. False, and counted, when the budget is spent or a value is outside
   * its closed set. Throws INTERNAL when the label names are not the declared ones.
   */
  admit(labels: LabelSet): boolean {
    const key = this.#key(labels);
    if (this.#keys.has(key)) return true;
    if (!this.#isDeclared(labels)) return this.#budget.refuse(this.#width);
    if (!this.#budget.take(this.#width)) return false;
    this.#keys.add(key);
    return true;
  }

  has(labels: LabelSet): boolean {
    return this.#keys.has(this.#key(labels));
  }

  /** True when the series existed. */
  drop(labels: LabelSet): boolean {
    const existed = this.#keys.delete(this.#key(labels));
    if (existed) this.#budget.release(this.#width);
    return existed;
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  #key(labels: LabelSet): string {
    let key = "";
    for (const name of this.#names) {
      const value = labels[name];
      if (value === undefined) throw this.#wrongLabels(labels);
      key += `${value}\n`;
    }
    if (Object.keys(labels).length !== this.#names.length) throw this.#wrongLabels(labels);
    return key;
  }

  #isDeclared(labels: LabelSet): boolean {
    const { labels: declared = {}, has } = this.#definition;
    const known = this.#names.every((name) => declared[name]?.includes(labels[name] ?? "") ?? true);
    return known && (has?.(labels) ?? true);
  }

  #wrongLabels(labels: LabelSet): NamError {
    const given = Object.keys(labels).join(", ") || "none";
    return new NamError(
      "INTERNAL",
      `${this.#definition.name} has the labels ${this.#names.join(", ") || "none"}; given were ${given}`,
    );
  }
}
