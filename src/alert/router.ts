// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "../detect/detector.ts";
import type { MetricsRegistry } from "../metrics/registry.ts";
import type { Clock } from "../util/clock.ts";
import { messageOf } from "../util/errors.ts";
import type { Log } from "../util/log.ts";
import type { Notifier } from "./alert.ts";
import type { AlertChannel } from "./channel.ts";
import { AlertMetrics } from "./metrics.ts";
import { Sender } from "./sender.ts";
import type { AlertSettings } from "./settings.ts";

export interface AlertRouterOptions {
  readonly channels: readonly AlertChannel[];
  readonly settings: AlertSettings;
  readonly registry: MetricsRegistry;
  readonly clock: Clock;
  /** Name of this agent, told in every message. */
  readonly agent: string;
  readonly log: Log;
  /** Uniform in [0, 1); decides the jitter of retries. */
  readonly random?: () => number;
}

/** How one channel is doing, for the status page. */
export interface ChannelStatus {
  readonly name: string;
  readonly waiting: number;
  readonly overdueSeconds: number;
  readonly suspended: boolean;
  /** The last failure in words, until a message gets through. */
  readonly trouble: string | null;
}

/**
 * The alert stage: hands every change of an anomaly to every channel. Channels share nothing, so one that hangs
 * delays no other.
 */
export class AlertRouter {
  readonly #options: AlertRouterOptions;
  readonly #metrics: AlertMetrics;
  readonly #senders = new Map<string, Sender>();
  #stopped: Promise<void> | undefined;

  constructor(options: AlertRouterOptions) {
    this.#options = options;
    this.#metrics = new AlertMetrics(options.registry);
    for (const channel of options.channels) this.#add(channel, options.settings);
    options.registry.onCollect(() => {
      for (const [name, sender] of this.#senders) this.#metrics.levels(name, sender.levels());
    });
  }

  /** Takes the changes of one tick. Returns at once and never throws, whatever the channels do. */
  accept(anomalies: readonly Anomaly[]): void {
    if (this.#stopped || anomalies.length === 0) return;
    for (const [channel, sender] of this.#senders) {
      try {
        sender.accept(anomalies);
      } catch (error) {
        this.#options.log.error(
          { channel, reason: messageOf(error) },
          "alerts could not be queued",
        );
      }
    }
  }

  /** Takes a new configuration. Channels that keep their name keep what waits and what their readers were told. */
  reconfigure(channels: readonly AlertChannel[], settings: AlertSettings): void {
    const names = new Set(channels.map(({ name }) => name));
    for (const [name, sender] of this.#senders) {
      if (names.has(name)) continue;
      this.#senders.delete(name);
      this.#metrics.forget(name);
      void this.#settle(name, sender.stop());
    }
    for (const channel of channels) {
      const sender = this.#senders.get(channel.name);
      if (!sender) this.#add(channel, settings);
      else {
        const replaced = sender.reconfigure(channel, settings);
        void this.#settle(channel.name, replaced.then(closed));
      }
    }
  }

  status(): ChannelStatus[] {
    return [...this.#senders].map(([name, sender]) => {
      const { depth, overdueSeconds, suspended } = sender.levels();
      return { name, waiting: depth, overdueSeconds, suspended, trouble: sender.trouble };
    });
  }

  /** Sends what still waits, for at most `timeoutMs`, then ends. What could not be told is logged. */
  stop(timeoutMs: number): Promise<void> {
    this.#stopped ??= this.#stop(timeoutMs);
    return this.#stopped;
  }

  async #stop(timeoutMs: number): Promise<void> {
    const senders = [...this.#senders];
    let cancel = (): void => {};
    const timeout = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(timeoutMs, resolve, true);
    });
    await Promise.race([Promise.all(senders.map(([, sender]) => sender.drain())), timeout]);
    cancel();
    await Promise.all(senders.map(([name, sender]) => this.#settle(name, sender.stop())));
  }

  #add(channel: AlertChannel, settings: AlertSettings): void {
    const { clock, agent, log, random = Math.random } = this.#options;
    const sender = new Sender({
      channel,
      settings,
      metrics: this.#metrics.channel(channel.name),
      clock,
      agent,
      log: log.child({ channel: channel.name }),
      random,
    });
    this.#senders.set(channel.name, sender);
  }

  /** Waits for the end of a channel; what was lost, or failed, is logged. */
  async #settle(channel: string, ending: Promise<number>): Promise<void> {
    try {
      const lost = await ending;
      if (lost > 0)
        this.#options.log.warn({ channel, lost }, "alerts were not told before the end");
    } catch {
      this.#options.log.warn({ channel }, "the channel did not close cleanly");
    }
  }
}

async function closed(notifier: Notifier): Promise<number> {
  await notifier.close?.();
  return 0;
}
