// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "../detect/detector.ts";
import type { MetricsRegistry } from "../metrics/registry.ts";
import type { Clock } from "../util/clock.ts";
import { messageOf } from "../util/errors.ts";
import type { Log } from "../util/log.ts";
import type { Notifier } from "./alert.ts";
import type { AlertChannel } from "./channel.ts";
import { ChannelStore } from "./channel-store.ts";
import { Flaps } from "./flaps.ts";
import { gateOf } from "./gate.ts";
import { AlertMetrics } from "./metrics.ts";
import { Outbox } from "./outbox/outbox.ts";
import { obey } from "./outbox/requests.ts";
import { forgetStrangers } from "./outbox/upkeep.ts";
import { Sender, type SenderRules } from "./sender.ts";
import type { AlertSettings } from "./settings.ts";
import { Silences } from "./silences.ts";

export interface AlertRouterOptions {
  readonly channels: readonly AlertChannel[];
  readonly settings: AlertSettings;
  readonly registry: MetricsRegistry;
  readonly clock: Clock;
  /** Name of this agent, told in every message. */
  readonly agent: string;
  readonly log: Log;
  /** Where what waits survives the program; memory only where none is given. The router closes it. */
  readonly outbox?: Outbox;
  /** Uniform in [0, 1); decides the jitter of retries. */
  readonly random?: () => number;
}

/** How one channel is doing, for the status page. */
export interface ChannelStatus {
  readonly name: string;
  readonly waiting: number;
  readonly overdueSeconds: number;
  readonly suspended: boolean;
  /** Dead letters that are kept. */
  readonly dead: number;
  /** The last failure in words, until a message gets through. */
  readonly trouble: string | null;
}

/**
 * The alert stage: hands every change of an anomaly to every channel. Channels share nothing but the outbox, so one
 * that hangs delays no other.
 */
export class AlertRouter {
  /** What keeps messages back; a change is followed by `hush`. */
  readonly silences: Silences;
  readonly #options: AlertRouterOptions;
  readonly #outbox: Outbox;
  readonly #metrics: AlertMetrics;
  readonly #senders = new Map<string, Sender>();
  readonly #flaps: Flaps;
  #stopped: Promise<void> | undefined;

  constructor(options: AlertRouterOptions) {
    const { settings, registry, clock, log } = options;
    this.#options = options;
    this.#outbox = options.outbox ?? Outbox.inMemory(clock, log);
    this.#metrics = new AlertMetrics(registry);
    this.#flaps = new Flaps(flapRules(settings));
    this.silences = new Silences({
      outbox: this.#outbox,
      clock,
      active: this.#metrics.silencesActive,
      maintenance: settings.maintenance,
    });
    const names = new Set(options.channels.map(({ name }) => name));
    forgetStrangers(this.#outbox, names, clock.now() - settings.give_up_after_seconds * 1_000);
    for (const channel of options.channels) this.#add(channel, settings);
    for (const sender of this.#senders.values()) sender.start(this.openIncidents);
    this.#outbox.watch(() => this.#obey());
    this.#obey();
    registry.onCollect(() => this.#measure());
  }

  /** Incidents that an earlier run left open, as they were last told. */
  get openIncidents(): Anomaly[] {
    return this.#outbox.list("incident").map(({ body }) => body);
  }

  /** Takes the changes of one tick. Returns at once and never throws, whatever the channels do. */
  accept(anomalies: readonly Anomaly[]): void {
    if (this.#stopped || anomalies.length === 0) return;
    const nowMs = this.#options.clock.monotonicMs();
    const raw = anomalies.map((anomaly) => ({ anomaly, holdMs: 0 }));
    const steady = anomalies.map((anomaly) => this.#flaps.accept(anomaly, nowMs));
    for (const { anomaly } of steady) this.#follow(anomaly);
    for (const [channel, sender] of this.#senders) {
      try {
        sender.accept(sender.takesEveryEvent ? raw : steady);
      } catch (error) {
        this.#options.log.error(
          { channel, reason: messageOf(error) },
          "alerts could not be queued",
        );
      }
    }
  }

  /** Resolves once all that was accepted is on the disk, or the disk cannot have it. */
  async safe(): Promise<void> {
    await this.#outbox.safe();
  }

  /** Looks at the silences again, after one was added or removed. */
  hush(): void {
    for (const sender of this.#senders.values()) sender.hush();
  }

  /** Takes a new configuration. Channels that keep their name keep what waits and what their readers were told. */
  reconfigure(channels: readonly AlertChannel[], settings: AlertSettings): void {
    this.#flaps.rules = flapRules(settings);
    this.silences.maintenance = settings.maintenance;
    const names = new Set(channels.map(({ name }) => name));
    for (const [name, sender] of this.#senders) {
      if (names.has(name)) continue;
      this.#senders.delete(name);
      this.#metrics.forget(name);
      void this.#settle(name, sender.stop());
    }
    for (const channel of channels) {
      const sender = this.#senders.get(channel.name);
      if (!sender) this.#add(channel, settings).start(this.openIncidents);
      else {
        const replaced = sender.reconfigure(this.#rules(channel, settings), this.openIncidents);
        void this.#settle(channel.name, replaced.then(closed));
      }
    }
  }

  status(): ChannelStatus[] {
    return [...this.#senders].map(([name, sender]) => {
      const { depth, ...levels } = sender.levels();
      return { name, waiting: depth, ...levels, trouble: sender.trouble };
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
    await this.#outbox.close();
  }

  #add(channel: AlertChannel, settings: AlertSettings): Sender {
    const { clock, agent, log, random = Math.random } = this.#options;
    const { name } = channel;
    const sender = new Sender({
      ...this.#rules(channel, settings),
      store: new ChannelStore(this.#outbox, name, clock, settings.dead_letter_limit),
      metrics: this.#metrics.channel(name),
      clock,
      agent,
      log: log.child({ channel: name }),
      random,
    });
    this.#senders.set(name, sender);
    return sender;
  }

  #rules(channel: AlertChannel, settings: AlertSettings): SenderRules {
    const { silences } = this;
    return {
      channel,
      settings,
      gate: gateOf({ channel, settings, silences, clock: this.#options.clock }),
    };
  }

  /** Keeps what is open, so that the next run can tell its end. */
  #follow(anomaly: Anomaly): void {
    if (anomaly.state === "resolved") this.#outbox.delete("incident", "", anomaly.id);
    else this.#outbox.set("incident", "", anomaly.id, anomaly);
  }

  /** Does what other programs have asked for. */
  #obey(): void {
    obey(this.#outbox, this.#senders);
    this.hush();
  }

  #measure(): void {
    for (const [name, sender] of this.#senders) this.#metrics.levels(name, sender.levels());
    this.#metrics.durable.set({}, this.#outbox.isDurable ? 1 : 0);
    this.silences.expire();
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

function flapRules({ flap_openings, flap_window_seconds }: AlertSettings) {
  return { openings: flap_openings, windowMs: flap_window_seconds * 1_000 };
}

async function closed(notifier: Notifier): Promise<number> {
  await notifier.close?.();
  return 0;
}
