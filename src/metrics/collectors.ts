// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Clock, systemClock } from "../util/clock.ts";
import { messageOf } from "../util/errors.ts";
import type { Log } from "../util/log.ts";
import type { MetricDefinition } from "./metric.ts";
import type { MetricsRegistry } from "./registry.ts";

const duration: MetricDefinition = {
  name: "nam_collector_duration_seconds",
  help: "How long the collector's last run took.",
  type: "gauge",
  labels: { collector: null },
};

const success: MetricDefinition = {
  name: "nam_collector_success",
  help: "1 when the collector's last run ended well, 0 when it failed or has not run yet.",
  type: "gauge",
  labels: { collector: null },
};

export const collectorMetrics: readonly MetricDefinition[] = [duration, success];

/**
 * Runs the parts that may fail on their own (detectors, samplers), each measured and none fatal. A failure is logged
 * when it is new, and counted until the part works again.
 */
export class Collectors {
  /** Last run of each part; they run every second, and are written to the gauges at a scrape only. */
  readonly #runs = new Map<string, { seconds: number; success: number }>();
  readonly #clock: Clock;
  readonly #log: Log | null;
  readonly #failures = new Map<string, { readonly message: string; times: number }>();

  constructor(registry: MetricsRegistry, log: Log | null = null, clock: Clock = systemClock) {
    const durations = registry.gauge(duration);
    const successes = registry.gauge(success);
    registry.onCollect(() => {
      for (const [collector, run] of this.#runs) {
        durations.set({ collector }, run.seconds);
        successes.set({ collector }, run.success);
      }
    });
    this.#log = log;
    this.#clock = clock;
  }

  /** Makes the collector's series exist at 0. */
  init(collector: string): void {
    this.#runs.set(collector, { seconds: 0, success: 0 });
  }

  /** What `work` returns, null when it throws. */
  run<T>(collector: string, work: () => T): T | null {
    const startMs = this.#clock.monotonicMs();
    try {
      const result = work();
      this.#ended(collector, startMs);
      return result;
    } catch (error) {
      return this.#failed(collector, startMs, error);
    }
  }

  /** As `run`, for work that takes its time; the duration is the time it took, not the time it computed. */
  async runAsync<T>(collector: string, work: () => Promise<T>): Promise<T | null> {
    const startMs = this.#clock.monotonicMs();
    try {
      const result = await work();
      this.#ended(collector, startMs);
      return result;
    } catch (error) {
      return this.#failed(collector, startMs, error);
    }
  }

  #ended(collector: string, startMs: number): void {
    this.#measure(collector, startMs, 1);
    const failure = this.#failures.get(collector);
    if (!failure) return;
    this.#failures.delete(collector);
    this.#log?.info({ collector, failures: failure.times }, "collector works again");
  }

  #failed(collector: string, startMs: number, error: unknown): null {
    this.#measure(collector, startMs, 0);
    const message = messageOf(error);
    const known = this.#failures.get(collector);
    if (known?.message === message) {
      known.times++;
      return null;
    }
    this.#failures.set(collector, { message, times: (known?.times ?? 0) + 1 });
    this.#log?.error({ collector, err: error }, "collector failed");
    return null;
  }

  #measure(collector: string, startMs: number, success: number): void {
    const seconds = (this.#clock.monotonicMs() - startMs) / 1000;
    const run = this.#runs.get(collector);
    if (!run) {
      this.#runs.set(collector, { seconds, success });
      return;
    }
    run.seconds = seconds;
    run.success = success;
  }
}
