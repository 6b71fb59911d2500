// SPDX-License-Identifier: AGPL-3.0-or-later
import { agentServersUnauthenticated } from "./agent-servers.ts";
import { alertMetrics } from "./alert/metrics.ts";
import { baselineStoreMetrics } from "./baseline-store.ts";
import { captureMetrics } from "./capture-metrics.ts";
import { configMetrics } from "./config-metrics.ts";
import { decodeMetrics } from "./decode/families.ts";
import { EXPECTED_PER_WEEK } from "./detect/alarm-budget.ts";
import { detectors } from "./detect/all.ts";
import type { Severity } from "./detect/detector.ts";
import { incidentFamilies, signalFamilies } from "./detect/families.ts";
import { detectorSettings } from "./detect/settings.ts";
import { signalNames } from "./detect/signals.ts";
import { aiTableInfo } from "./flow/ai/metrics.ts";
import { distinctMetric } from "./flow/distinct.ts";
import { flowGauges, flowMetrics } from "./flow/families.ts";
import { gapLoss } from "./gap-loss.ts";
import { hostMetrics } from "./host/families.ts";
import { collectorMetrics } from "./metrics/collectors.ts";
import type { MetricDefinition } from "./metrics/metric.ts";
import { selfMetrics } from "./metrics/self-metrics.ts";
import { sensorSignals } from "./sensor-metrics.ts";
import { inputSchema, type JsonSchema } from "./util/validate.ts";

/** Every family the agent declares itself, by name; `process_*` and `nodejs_*` come from prom-client. */
export function metricCatalogue(): readonly MetricDefinition[] {
  return [
    ...selfMetrics,
    ...collectorMetrics,
    ...captureMetrics,
    ...decodeMetrics,
    ...flowMetrics,
    ...flowGauges,
    distinctMetric,
    gapLoss,
    aiTableInfo,
    agentServersUnauthenticated,
    ...hostMetrics,
    ...Object.values(signalFamilies(signalNames(sensorSignals))),
    ...Object.values(incidentFamilies(detectors.map(({ name }) => name))),
    ...baselineStoreMetrics,
    ...alertMetrics,
    ...configMetrics,
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A detector as operators see it. */
export interface DetectorEntry {
  readonly name: string;
  readonly class: string;
  readonly help: string;
  readonly severities: readonly Severity[];
  /** Anomalies a week that it is expected to open where nothing is wrong. */
  readonly alarmsPerWeek: number;
  /** Schema of its section under `detectors:`. */
  readonly settings: JsonSchema;
}

/** Every detector, in the order a tick asks them. */
export function detectorCatalogue(): readonly DetectorEntry[] {
  return detectors.map((detector) => ({
    name: detector.name,
    class: detector.class,
    help: detector.help,
    severities: detector.severities,
    alarmsPerWeek: detector.alarmsPerWeek ?? EXPECTED_PER_WEEK,
    settings: inputSchema(detectorSettings(detector)),
  }));
}
