// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { BASELINES, SEVERITIES } from "./detector.ts";

/** Why a finding did not become a message of its own. */
export const SUPPRESSION_REASONS = [
  "cooldown",
  "aggregated",
  "superseded",
  "environment_change",
  "allowed",
] as const;
export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number];

/** Families of the signals, for a closed list of signal names. */
export function signalFamilies(signals: readonly string[]) {
  const labels = { signal: signals, baseline: BASELINES };
  return {
    value: gauge(
      "nam_signal_value",
      "Value of the signal in the last window, per second for rates.",
      {
        signal: signals,
      },
    ),
    zscore: gauge(
      "nam_signal_zscore",
      "Standard deviations between the signal's last value and its baseline; 0 until the baseline is ready.",
      labels,
    ),
    mean: gauge(
      "nam_baseline_mean",
      "What the baseline takes to be the signal's normal level.",
      labels,
    ),
    stddev: gauge(
      "nam_baseline_stddev",
      "Standard deviation under the baseline, in the signal's unit; for ewma that of a rise above the mean.",
      labels,
    ),
    ready: gauge(
      "nam_baseline_ready",
      "1 once the baseline has seen enough to judge, else 0.",
      labels,
    ),
  };
}

/** Families of the incidents, for a closed list of detector names. */
export function incidentFamilies(detectors: readonly string[]) {
  const labels = { detector: detectors, severity: SEVERITIES };
  return {
    events: counter(
      "nam_anomaly_events_total",
      "Anomalies opened or raised to the severity.",
      labels,
    ),
    active: gauge("nam_anomaly_active", "Anomalies open now.", labels),
    suppressed: counter(
      "nam_anomaly_suppressed_total",
      "Findings that did not become an event of their own: during the cool-down after a resolve, counted in one event about many entities, told better by another detector, during a change of the whole environment, or about what the operator allows.",
      { detector: detectors, reason: SUPPRESSION_REASONS },
    ),
  };
}

/** 1 while everything is learned and nothing is told above info. */
export const learning: MetricDefinition = {
  name: "nam_detection_learning",
  help: "1 while the agent learns, guards.learn_seconds after its start, and tells nothing above info; else 0.",
  type: "gauge",
};

function gauge(
  name: MetricDefinition["name"],
  help: string,
  labels: NonNullable<MetricDefinition["labels"]>,
): MetricDefinition {
  return { name, help, type: "gauge", labels };
}

function counter(
  name: MetricDefinition["name"],
  help: string,
  labels: NonNullable<MetricDefinition["labels"]>,
): MetricDefinition {
  return { name, help, type: "counter", labels };
}
