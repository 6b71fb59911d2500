// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MetricDefinition } from "../metrics/metric.ts";

export const tallyOverflow: MetricDefinition = {
  name: "nam_tally_overflow_total",
  help: "Names and fingerprints left out of a window's lists because a list was full.",
  type: "counter",
};

export type TallyEntry = readonly [value: string, count: number];

/**
 * Counts strings by name (`dns.names`, `tls.sni` …) in bounded lists. A value that finds its list full is not
 * kept but counted in `overflow`, so that a list never claims to be complete when it is not.
 */
export class Tallies {
  readonly #limit: number;
  readonly #lists = new Map<string, Map<string, number>>();
  #overflow = 0;

  /** `limit`: most distinct values a list keeps until it is taken. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The counting function of one list; made once, at start-up. */
  counter(name: string): (value: string) => void {
    const list = this.#list(name);
    return (value) => this.#add(list, value, 1);
  }

  add(name: string, value: string, count: number): void {
    this.#add(this.#list(name), value, count);
  }

  /** Values that were not kept since the last `take`. */
  get overflow(): number {
    return this.#overflow;
  }

  /** The lists that hold anything; they start empty again. */
  take(): Record<string, TallyEntry[]> {
    const taken: Record<string, TallyEntry[]> = {};
    for (const [name, list] of this.#lists) {
      if (list.size === 0) continue;
      taken[name] = [...list];
      list.clear();
    }
    this.#overflow = 0;
    return taken;
  }

  /** One list, most frequent first and then by value; `top` 0 = all. */
  sorted(name: string, top: number): TallyEntry[] {
    const entries = [...(this.#lists.get(name) ?? [])];
    entries.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    return top > 0 ? entries.slice(0, top) : entries;
  }

  #list(name: string): Map<string, number> {
    let list = this.#lists.get(name);
    if (!list) {
      list = new Map();
      this.#lists.set(name, list);
    }
    return list;
  }

  #add(list: Map<string, number>, value: string, count: number): void {
    const known = list.get(value);
    if (known === undefined && list.size >= this.#limit) this.#overflow += count;
    else list.set(value, (known ?? 0) + count);
  }
}
