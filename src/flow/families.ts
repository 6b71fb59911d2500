// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition, SignalDefinition } from "../metrics/metric.ts";
import { aiCallMetrics, aiWatched } from "./ai/call-metrics.ts";
import { trackers } from "./all.ts";
import { flowsActive, flowTableMetrics, flowTableSignals } from "./flow-metrics.ts";
import { tallyOverflow } from "./tally.ts";
import { tcpMetrics, tcpSignals } from "./tcp-metrics.ts";

const names = trackers.map(({ name }) => name);

export const trackerEntities: MetricDefinition = {
  name: "nam_tracker_entities",
  help: "Entities a tracker held at the end of the last window.",
  type: "gauge",
  labels: { tracker: names },
};

export const trackerEvictions: MetricDefinition = {
  name: "nam_tracker_evictions_total",
  help: "Entities a tracker dropped to make room for others.",
  type: "counter",
  labels: { tracker: names },
};

/** Counters a sensor's flow stage feeds. */
export const flowMetrics: readonly MetricDefinition[] = [
  ...flowTableMetrics,
  ...tcpMetrics,
  ...aiCallMetrics,
  trackerEvictions,
  tallyOverflow,
  ...trackers.flatMap(({ metrics = [] }) => metrics),
];

/** Levels a sensor's flow stage sets at the end of each window. */
export const flowGauges: readonly MetricDefinition[] = [
  flowsActive,
  aiWatched,
  trackerEntities,
  ...trackers.flatMap(({ levels = [] }) => levels),
];

export const flowSignals: readonly SignalDefinition[] = [
  ...flowTableSignals,
  ...tcpSignals,
  ...trackers.flatMap(({ signals = [] }) => signals),
];
