// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "../detect/detector.ts";
import type { Clock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import type { Alert, Delivery, Notifier } from "./alert.ts";
import { attempt } from "./attempt.ts";
import { Backlog } from "./backlog.ts";
import { type AlertChannel, rulesOf } from "./channel.ts";
import type { ChannelStore } from "./channel-store.ts";
import type { Steady } from "./flaps.ts";
import type { Gate } from "./gate.ts";
import { acceptedMs, alertOf, type Group } from "./grouping.ts";
import { Heartbeat, heartbeatAlert } from "./heartbeat.ts";
import { LineState } from "./line-state.ts";
import { type ChannelLevels, type ChannelMetrics, outcomeOf } from "./metrics.ts";
import type { AlertSettings } from "./settings.ts";

/** What a channel is told by, which a new configuration replaces as a whole. */
export interface SenderRules {
  readonly channel: AlertChannel;
  readonly settings: AlertSettings;
  readonly gate: Gate;
}

export interface SenderOptions extends SenderRules {
  readonly store: ChannelStore;
  readonly metrics: ChannelMetrics;
  readonly clock: Clock;
  readonly agent: string;
  readonly log: Log;
  /** Uniform in [0, 1); decides the jitter of retries. */
  random(): number;
}

/**
 * Tells one channel its backlog: one message at a time, no faster than the vendor allows, again and again where it
 * fails. What the readers want decides when a message is due (Backlog); what the line allows may only delay it. No
 * message goes out before what it tells is on the disk.
 */
export class Sender {
  readonly #options: SenderOptions;
  #channel: AlertChannel;
  readonly #backlog: Backlog;
  #line: LineState;
  readonly #heartbeat: Heartbeat;
  #flight: Promise<void> | undefined;
  readonly #abort = new AbortController();
  #cancelTimer = (): void => {};
  #drained: (() => void) | undefined;

  constructor(options: SenderOptions) {
    const { channel, settings, gate, store, metrics, clock, log, random } = options;
    this.#options = options;
    this.#channel = channel;
    const nowMs = clock.monotonicMs();
    const rules = rulesOf(channel, settings, gate);
    this.#backlog = new Backlog({ rules, store, nowMs, fate: metrics.fate });
    const { rate } = channel.definition;
    const pauseUntilMs = store.line()?.pauseUntilMs;
    this.#line = new LineState({ rate, nowMs, log, random, pauseUntilMs });
    this.#heartbeat = new Heartbeat(channel.heartbeatMs, nowMs);
  }

  /** Begins with what an earlier run left to tell; `open` are all incidents that are open. */
  start(open: readonly Anomaly[]): void {
    this.#resume(open);
    this.#pump();
  }

  /** A channel that has to repeat itself must know what its readers were told. */
  #resume(open: readonly Anomaly[]): void {
    this.#channel.notifier.resume?.(this.#backlog.known(open), this.#options.agent);
  }

  /** Takes the events of one tick. Never throws, never waits. */
  accept(events: readonly Steady[]): void {
    const nowMs = this.#options.clock.monotonicMs();
    let isUrgent = false;
    for (const { anomaly, holdMs } of events) {
      isUrgent = this.#backlog.accept(anomaly, nowMs, holdMs) || isUrgent;
    }
    if (isUrgent) this.#line.skipBackoff();
    this.#pump();
  }

  /** True for a channel that takes every event as it is. */
  get takesEveryEvent(): boolean {
    return this.#channel.definition.everyEvent === true;
  }

  /** Tells anomalies again that were given up. */
  revive(anomalies: readonly Anomaly[]): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const anomaly of anomalies) this.#backlog.revive(anomaly, nowMs);
    this.#pump();
  }

  /** Gives up what waits, all of it where no incident is named; says how many. */
  purge(ids: readonly string[]): number {
    return this.#backlog.purge(ids);
  }

  /** Looks at the silences again. */
  hush(): void {
    this.#backlog.hush();
    this.#pump();
  }

  /** Continues with new settings and a new notifier; gives back the old one once it is idle. */
  async reconfigure(rules: SenderRules, open: readonly Anomaly[]): Promise<Notifier> {
    const { channel, settings, gate } = rules;
    const { clock, log, random, store } = this.#options;
    const nowMs = clock.monotonicMs();
    const { notifier } = this.#channel;
    const done = this.#flight;
    this.#channel = channel;
    this.#resume(open);
    store.deadLetterLimit = settings.dead_letter_limit;
    this.#backlog.reconfigure(rulesOf(channel, settings, gate), nowMs);
    this.#line = new LineState({ rate: channel.definition.rate, nowMs, log, random });
    this.#heartbeat.reconfigure(channel.heartbeatMs, nowMs);
    this.#pump();
    await done;
    return notifier;
  }

  levels(): ChannelLevels {
    const nowMs = this.#options.clock.monotonicMs();
    return {
      depth: this.#backlog.size,
      overdueSeconds: Math.max(0, nowMs - this.#backlog.dueMs(nowMs)) / 1_000,
      suspended: this.#line.isSuspended,
      dead: this.#options.store.deadLetters,
    };
  }

  /** The channel's last failure in words, until a message gets through. */
  get trouble(): string | null {
    return this.#line.trouble;
  }

  /** Sends what waits without the group wait; resolves when nothing does, or when the channel is out of order. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained = resolve;
      this.#pump();
    });
  }

  /** Ends the attempt under way. What waits is left to the next run, or given up where there is no disk: says how much. */
  async stop(): Promise<number> {
    this.#cancelTimer();
    this.#abort.abort();
    await this.#flight;
    const lost = this.#options.store.isDurable ? 0 : this.#backlog.purge([]);
    await this.#channel.notifier.close?.();
    return lost;
  }

  #pump(): void {
    this.#cancelTimer();
    const { clock, metrics } = this.#options;
    const nowMs = clock.monotonicMs();
    const expired = this.#backlog.expire(nowMs);
    if (expired > 0) metrics.deadLetters(expired);
    if (this.#flight || this.#abort.signal.aborted) return;
    const isDraining = this.#drained !== undefined;
    if (isDraining && (this.#line.isSuspended || !this.#backlog.hasFree(nowMs))) {
      this.#drained?.();
      return;
    }
    const dueMs = this.#backlog.dueMs(nowMs);
    const wantedMs = isDraining ? nowMs : Math.min(dueMs, this.#heartbeat.dueMs);
    const atMs = Math.max(wantedMs, this.#line.readyMs(nowMs, this.#backlog.hasCritical(nowMs)));
    if (atMs <= nowMs) this.#send(nowMs, dueMs);
    else if (Number.isFinite(atMs)) {
      this.#cancelTimer = clock.after(Math.ceil(atMs - nowMs), () => this.#pump(), isDraining);
    }
  }

  #send(nowMs: number, dueMs: number): void {
    const isDraining = this.#drained !== undefined;
    const group = isDraining || dueMs <= nowMs ? this.#backlog.take(nowMs, isDraining) : undefined;
    if (!group && this.#heartbeat.dueMs > nowMs) return;
    const line = this.#line;
    line.began(nowMs);
    this.#remember();
    const safe = this.#options.store.safe();
    const sent = safe
      ? safe.then(() => this.#attempt(group, nowMs - dueMs))
      : this.#attempt(group, nowMs - dueMs);
    this.#flight = sent.then((delivery) => {
      this.#flight = undefined;
      if (group) this.#landed(group, delivery, line);
      else this.#beaten(delivery, line);
      this.#pump();
    });
  }

  #attempt(group: Group | undefined, lateMs: number): Promise<Delivery> {
    const { clock, agent } = this.#options;
    this.#line.departed(clock.monotonicMs());
    const sentMs = clock.now();
    const createdMs = sentMs - Math.max(0, lateMs);
    const alert: Alert = group
      ? alertOf(group, { channel: this.#channel.name, agent, createdMs, sentMs })
      : heartbeatAlert(agent, sentMs);
    return attempt(this.#channel.notifier, alert, this.#abort.signal, clock);
  }

  /** What the next run must know of this channel besides what waits. */
  #remember(): void {
    const { store, clock } = this.#options;
    const governor = this.#backlog.governorState(clock.monotonicMs());
    store.saveLine({ pauseUntilMs: this.#line.pauseUntilMs, governor });
  }

  #beaten(delivery: Delivery, line: LineState): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (delivery.outcome === "retry" && this.#abort.signal.aborted) return;
    line.ended(delivery, nowMs);
    if (delivery.outcome !== "retry") this.#heartbeat.done(nowMs);
    this.#options.metrics.attempt(outcomeOf(delivery));
  }

  #landed(group: Group, delivery: Delivery, line: LineState): void {
    if (delivery.outcome === "retry" && this.#abort.signal.aborted) {
      this.#backlog.returned(group);
      return;
    }
    const { clock, metrics } = this.#options;
    const nowMs = clock.monotonicMs();
    line.ended(delivery, nowMs);
    metrics.attempt(outcomeOf(delivery));
    switch (delivery.outcome) {
      case "delivered":
        this.#backlog.delivered(group, nowMs);
        metrics.delivered((nowMs - acceptedMs(group)) / 1_000);
        break;
      case "rejected":
        this.#backlog.refused(group, delivery.reason);
        metrics.deadLetters(group.named.length + group.counted.length);
        break;
      default:
        this.#backlog.returned(group);
    }
    this.#remember();
  }
}
