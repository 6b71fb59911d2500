// SPDX-License-Identifier: AGPL-3.0-or-later
import client from "prom-client";
import type { Family } from "./exposition.ts";
import { familyOf, type StoredValue } from "./stored-family.ts";

/** Kinds of garbage collection that prom-client tells apart. */
const GC_KINDS = ["major", "minor", "incremental", "weakcb"];

/**
 * One series for each class name in use now, so their number changes all the time. Their sums are gauges under a
 * counter's name (`_total`) and take the place of these.
 */
const TYPED_FAMILIES: ReadonlySet<string> = new Set([
  "nodejs_active_handles",
  "nodejs_active_requests",
  "nodejs_active_resources",
]);

const EMPTY_MINIMUM_SECONDS = 2 ** 63 / 1e9;

/** What prom-client's registry returns, without the enum its types hide the metric's type behind. */
interface Stored {
  readonly name: string;
  readonly help: string;
  readonly type: string | number;
  readonly values: readonly StoredValue[];
}

/** prom-client's `process_*` and `nodejs_*` families of this process, read at each call. */
export function processFamilies(): () => Promise<Family[]> {
  const registry = new client.Registry();
  client.collectDefaultMetrics({ register: registry });
  const collections = registry.getSingleMetric("nodejs_gc_duration_seconds");
  if (collections instanceof client.Histogram) {
    for (const kind of GC_KINDS) collections.zero({ kind });
  }
  return async () => {
    // prom-client types `values` by its own metric classes; every one of them has these fields.
    const stored = (await registry.getMetricsAsJSON()) as unknown as Stored[];
    return stored
      .filter(({ name }) => !TYPED_FAMILIES.has(name))
      .map((metric) => familyOf(described(metric), metric.values.filter(isMeasured)));
  };
}

/** The event loop's delay histogram reads NaN and 2^63 ns while it holds no observation. */
function isMeasured({ value }: StoredValue): boolean {
  return Number.isFinite(value) && value !== EMPTY_MINIMUM_SECONDS;
}

/** Under its own name, or that of the family whose sum it is. */
function described({ name, help, type }: Stored): Pick<Family, "name" | "help" | "type"> {
  const family = name.replace(/_total$/, "");
  if (TYPED_FAMILIES.has(family)) return { name: family, help, type: "gauge" };
  return { name, help, type: type === "counter" || type === "histogram" ? type : "gauge" };
}
