// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "../detect/detector.ts";
import type { Clock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import type { Delivery, Notifier } from "./alert.ts";
import { attempt } from "./attempt.ts";
import { Backlog } from "./backlog.ts";
import { type AlertChannel, rulesOf } from "./channel.ts";
import { alertOf, type Group } from "./grouping.ts";
import { LineState } from "./line-state.ts";
import type { ChannelLevels, ChannelMetrics } from "./metrics.ts";
import type { AlertSettings } from "./settings.ts";

export interface SenderOptions {
  readonly channel: AlertChannel;
  readonly settings: AlertSettings;
  readonly metrics: ChannelMetrics;
  readonly clock: Clock;
  readonly agent: string;
  readonly log: Log;
  /** Uniform in [0, 1); decides the jitter of retries. */
  random(): number;
}

/**
 * Tells one channel its backlog: one message at a time, no faster than the vendor allows, again and again where it
 * fails. What the readers want decides when a message is due (Backlog); what the line allows may only delay it.
 */
export class Sender {
  readonly #options: SenderOptions;
  #channel: AlertChannel;
  readonly #backlog: Backlog;
  #line: LineState;
  #flight: { readonly group: Group; readonly done: Promise<void> } | undefined;
  readonly #abort = new AbortController();
  #cancelTimer = (): void => {};
  #drained: (() => void) | undefined;

  constructor(options: SenderOptions) {
    const { channel, settings, metrics, clock, log, random } = options;
    this.#options = options;
    this.#channel = channel;
    const nowMs = clock.monotonicMs();
    this.#backlog = new Backlog(rulesOf(channel, settings), nowMs, metrics.fate);
    this.#line = new LineState({ rate: channel.definition.rate, nowMs, log, random });
  }

  /** Takes the events of one tick. Never throws, never waits. */
  accept(anomalies: readonly Anomaly[]): void {
    const nowMs = this.#options.clock.monotonicMs();
    let isUrgent = false;
    for (const anomaly of anomalies) isUrgent = this.#backlog.accept(anomaly, nowMs) || isUrgent;
    if (isUrgent) this.#line.skipBackoff();
    this.#pump();
  }

  /** Continues with new settings and a new notifier; gives back the old one once it is idle. */
  async reconfigure(channel: AlertChannel, settings: AlertSettings): Promise<Notifier> {
    const { clock, log, random } = this.#options;
    const nowMs = clock.monotonicMs();
    const { notifier } = this.#channel;
    const done = this.#flight?.done;
    this.#channel = channel;
    this.#backlog.reconfigure(rulesOf(channel, settings), nowMs);
    this.#line = new LineState({ rate: channel.definition.rate, nowMs, log, random });
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

  /** Ends the attempt under way and gives up what waits; says how much was lost. */
  async stop(): Promise<number> {
    this.#cancelTimer();
    this.#abort.abort();
    await this.#flight?.done;
    const lost = this.#backlog.clear();
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
    if (this.#backlog.size === 0 || (isDraining && this.#line.isSuspended)) {
      this.#drained?.();
      return;
    }
    const dueMs = this.#backlog.dueMs(nowMs);
    const atMs = Math.max(isDraining ? nowMs : dueMs, this.#line.readyMs(nowMs));
    if (atMs <= nowMs) this.#send(nowMs, dueMs);
    else if (Number.isFinite(atMs)) {
      this.#cancelTimer = clock.after(Math.ceil(atMs - nowMs), () => this.#pump(), isDraining);
    }
  }

  #send(nowMs: number, dueMs: number): void {
    const { clock, agent } = this.#options;
    const group = this.#backlog.take(nowMs, this.#drained !== undefined);
    if (!group) return;
    const sentMs = clock.now();
    const createdMs = sentMs - Math.max(0, nowMs - dueMs);
    const alert = alertOf(group, { channel: this.#channel.name, agent, createdMs, sentMs });
    const line = this.#line;
    line.began(nowMs);
    const done = attempt(this.#channel.notifier, alert, this.#abort.signal, clock).then(
      (delivery) => {
        this.#flight = undefined;
        this.#landed(group, delivery, line);
        this.#pump();
      },
    );
    this.#flight = { group, done };
  }

  #landed(group: Group, delivery: Delivery, line: LineState): void {
    if (delivery.outcome === "retry" && this.#abort.signal.aborted) {
      this.#backlog.returned(group);
      return;
    }
    const { clock, metrics } = this.#options;
    const nowMs = clock.monotonicMs();
    line.ended(delivery, nowMs);
    switch (delivery.outcome) {
      case "delivered": {
        this.#backlog.delivered(group, nowMs);
        metrics.attempt("delivered");
        metrics.delivered((nowMs - acceptedMs(group)) / 1_000);
        return;
      }
      case "retry":
        this.#backlog.returned(group);
        metrics.attempt(delivery.reason === "rate_limited" ? "rate_limited" : "retried");
        return;
      case "rejected":
        this.#backlog.refused(group);
        metrics.attempt("failed");
        metrics.deadLetters(group.named.length + group.counted.length);
        return;
      case "disabled":
        this.#backlog.returned(group);
        metrics.attempt("failed");
    }
  }
}

function acceptedMs(group: Group): number {
  return [...group.named, ...group.counted].reduce(
    (first, entry) => Math.min(first, entry.acceptedMs),
    Number.POSITIVE_INFINITY,
  );
}
