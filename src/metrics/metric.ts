// SPDX-License-Identifier: AGPL-3.0-or-later

/** The labels of one series: names and values. */
export type LabelSet = Readonly<Record<string, string>>;

/**
 * One exposed metric family, declared in the file that feeds it. `docs/metrics.md`, the zero series and the
 * contract tests are made from these declarations.
 */
export interface MetricDefinition {
  /** Prometheus name: prefix `nam_`, base unit, `_total` on counters. */
  readonly name: `nam_${string}`;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** Label name → its closed value set; `null` where the set comes from the configuration (interface, channel …). */
  readonly labels?: Readonly<Record<string, readonly string[] | null>>;
  /** True for the combinations of label values that exist; all of them where it is absent. */
  readonly has?: (labels: LabelSet) => boolean;
  /**
   * Names the group a series appears with; "" for one that exists from the start. The others are exposed when the first
   * of their group has counted, all of them, at 0 for half a minute: `increase()` sees their first event too. For families in
   * cells whose labels have more values than one network ever uses.
   */
  readonly appearsWith?: (labels: LabelSet) => string;
  /** Histograms only: upper bounds, ascending, without +Inf. */
  readonly buckets?: readonly number[];
}

/**
 * A series that is scored against its own past: the sum of the counter cells that match `where`, per second.
 * The number of signals is the number of these declarations, whatever the traffic does.
 */
export interface SignalDefinition {
  /** Value of the `signal` label, e.g. `transport_tcp_packets`. */
  readonly name: string;
  readonly help: string;
  readonly metric: MetricDefinition;
  /** Label values that select the cells; a label not named here is summed over. */
  readonly where?: LabelSet;
  readonly unit: "packets" | "bytes" | "messages" | "flows";
}
