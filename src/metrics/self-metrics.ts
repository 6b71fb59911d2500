// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "./metric.ts";

export const buildInfo: MetricDefinition = {
  name: "nam_build_info",
  help: "Always 1; its labels say which build runs on which Node.js.",
  type: "gauge",
  labels: { version: null, revision: null, node: null },
};

export const startTime: MetricDefinition = {
  name: "nam_start_time_seconds",
  help: "When the monitor started, in seconds since 1970 UTC.",
  type: "gauge",
};

export const seriesExposed: MetricDefinition = {
  name: "nam_series",
  help: "Time series in this exposition.",
  type: "gauge",
};

export const seriesOverflow: MetricDefinition = {
  name: "nam_series_overflow_total",
  help: "Series kept out of the exposition, counted each time one was asked for: the series budget was spent, or a label value was not declared.",
  type: "counter",
};

/** What the registry says of itself. */
export const selfMetrics: readonly MetricDefinition[] = [
  buildInfo,
  startTime,
  seriesExposed,
  seriesOverflow,
];

/** The running build, for `nam_build_info`, the landing page and the API. */
export interface Build {
  readonly version: string;
  /** Commit the build was made from, or `unknown`. */
  readonly revision: string;
}
