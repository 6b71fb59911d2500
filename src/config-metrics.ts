// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "./metrics/metric.ts";
import type { GaugeInstrument, MetricsRegistry } from "./metrics/registry.ts";

const successful: MetricDefinition = {
  name: "nam_config_last_reload_successful",
  help: "1 when the last load of the configuration succeeded, else 0.",
  type: "gauge",
};
const successTime: MetricDefinition = {
  name: "nam_config_last_reload_success_timestamp_seconds",
  help: "When the running configuration was loaded.",
  type: "gauge",
};
const hashInfo: MetricDefinition = {
  name: "nam_config_hash_info",
  help: "Always 1; its label is a hash of the running configuration.",
  type: "gauge",
  labels: { hash: null },
};

export const configMetrics: readonly MetricDefinition[] = [successful, successTime, hashInfo];

/** What is told of the configuration that runs, and of attempts to load another. */
export class ConfigMetrics {
  readonly #successful: GaugeInstrument;
  readonly #successTime: GaugeInstrument;
  readonly #hashInfo: GaugeInstrument;
  #hash: string | null = null;

  constructor(registry: MetricsRegistry) {
    this.#successful = registry.gauge(successful);
    this.#successTime = registry.gauge(successTime);
    this.#hashInfo = registry.gauge(hashInfo);
  }

  loaded(hash: string, nowMs: number): void {
    this.#successful.set({}, 1);
    this.#successTime.set({}, nowMs / 1000);
    if (this.#hash !== null) this.#hashInfo.remove({ hash: this.#hash });
    this.#hashInfo.set({ hash }, 1);
    this.#hash = hash;
  }

  failed(): void {
    this.#successful.set({}, 0);
  }
}
