// SPDX-License-Identifier: AGPL-3.0-or-later
import { AgentServers } from "./agent-servers.ts";
import { CaptureMetrics } from "./capture-metrics.ts";
import { isHomeMatcher } from "./decode/direction.ts";
import { detectors } from "./detect/all.ts";
import type { Anomaly, HostSample } from "./detect/detector.ts";
import { DetectionEngine, type EngineOptions } from "./detect/engine.ts";
import type { DetectSettings } from "./detect/settings.ts";
import { aiTableInfo } from "./flow/ai/metrics.ts";
import { PROVIDER_TABLE_VERSION } from "./flow/ai/provider-table.ts";
import { DISTINCT, distinctMetric, SlidingDistinct } from "./flow/distinct.ts";
import type { Window } from "./flow/window.ts";
import { GapLoss, gapLoss } from "./gap-loss.ts";
import { Collectors } from "./metrics/collectors.ts";
import { MetricsRegistry } from "./metrics/registry.ts";
import { createSensorLayouts, type SensorLayouts, sensorSignals } from "./sensor-metrics.ts";
import type { Log } from "./util/log.ts";
import { add } from "./util/typed.ts";

export interface CoreOptions {
  readonly detect: DetectSettings;
  readonly home: readonly string[];
  readonly agent: string;
  /** Routers of this machine; none on replay, which may be of any network. */
  readonly gateways?: readonly string[];
  /** As in EngineOptions. */
  readonly watch?: EngineOptions["watch"];
  /** Where detectors that fail are reported. */
  readonly log: Log;
}

/**
 * Windows in, metrics and anomalies out: what live capture and replay share. Totals only grow, whatever happens
 * to the sensors that counted them.
 */
export class Core {
  readonly registry = new MetricsRegistry();
  readonly layouts: SensorLayouts = createSensorLayouts();
  /** Totals of the counter cells since the start. */
  readonly totals: Float64Array;
  readonly capture: CaptureMetrics;
  /** Measures the parts that may fail on their own. */
  readonly collectors: Collectors;
  readonly engine: DetectionEngine;
  readonly #levels: Float64Array;
  readonly #distinct = new SlidingDistinct();
  readonly #gapLoss: GapLoss;
  readonly #agentServers: AgentServers;

  constructor(options: CoreOptions) {
    this.#gapLoss = new GapLoss(this.layouts.counters);
    this.totals = new Float64Array(this.layouts.counters.size);
    this.#levels = new Float64Array(this.layouts.gauges.size);
    this.registry.cells(this.layouts.counters, this.totals);
    this.registry.cells(this.layouts.gauges, this.#levels);
    this.capture = new CaptureMetrics(this.registry);
    this.collectors = new Collectors(this.registry, options.log);
    const distinct = this.registry.gauge(distinctMetric);
    this.registry.onCollect(() => {
      for (const what of DISTINCT) distinct.set({ what }, this.#distinct.estimate(what));
    });
    const gapLossGauge = this.registry.gauge(gapLoss);
    this.registry.onCollect(() => gapLossGauge.set({}, this.#gapLoss.ratio()));
    this.registry.gauge(aiTableInfo).set({ version: PROVIDER_TABLE_VERSION }, 1);
    const isHome = isHomeMatcher(options.home);
    this.#agentServers = new AgentServers(this.registry, isHome);
    this.engine = new DetectionEngine({
      layout: this.layouts.counters,
      signals: sensorSignals,
      detectors,
      settings: options.detect,
      registry: this.registry,
      context: { isHome, gateways: options.gateways ?? [] },
      agent: options.agent,
      watch: options.watch,
      collectors: this.collectors,
    });
  }

  /** Counts the window, judges it, and returns the changes of state it caused. */
  accept(window: Window, host: HostSample | null): Anomaly[] {
    this.capture.window(window);
    for (let slot = 0; slot < window.counters.length; slot++) {
      add(this.totals, slot, window.counters[slot] ?? 0);
    }
    this.#levels.set(window.gauges);
    this.#gapLoss.accept(window);
    this.#agentServers.accept(window);
    this.#distinct.accept(window.sketches, window.endMs);
    return this.engine.tick(window, host);
  }
}
