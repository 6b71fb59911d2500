// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import type {
  CounterInstrument,
  GaugeInstrument,
  HistogramInstrument,
  MetricsRegistry,
} from "../metrics/registry.ts";
import type { Delivery } from "./alert.ts";

/** What an attempt to send a message came to. */
const OUTCOMES = ["delivered", "retried", "rate_limited", "failed"] as const;
export type NotificationOutcome = (typeof OUTCOMES)[number];

/** What is counted of an attempt that came to this. */
export function outcomeOf(delivery: Delivery): NotificationOutcome {
  switch (delivery.outcome) {
    case "delivered":
      return "delivered";
    case "retry":
      return delivery.reason === "rate_limited" ? "rate_limited" : "retried";
    default:
      return "failed";
  }
}

/** Where an event ended. Every event a channel is handed ends in exactly one of them, or still waits. */
export const FATES = [
  "told",
  "counted",
  "superseded",
  "filtered",
  "silenced",
  "maintenance",
  "dropped",
  "lost",
] as const;
export type EventFate = (typeof FATES)[number];

const notifications: MetricDefinition = {
  name: "nam_notifications_total",
  help: "Attempts to send a message to a channel, by what came of them; after `failed` the message is not tried again by itself.",
  type: "counter",
  labels: { channel: null, outcome: OUTCOMES },
};
const events: MetricDefinition = {
  name: "nam_notification_events_total",
  help:
    "Anomaly events by what became of them on a channel: told by name, counted in a digest, superseded by a later " +
    "event of the same anomaly, filtered by its settings or routes, silenced, not told because of maintenance, " +
    "dropped from a full queue, or lost.",
  type: "counter",
  labels: { channel: null, fate: FATES },
};
const seconds: MetricDefinition = {
  name: "nam_notification_seconds",
  help: "Time from the first event of a message to its acceptance by the channel, all waits and retries included.",
  type: "histogram",
  labels: { channel: null },
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600],
};
const depth: MetricDefinition = {
  name: "nam_outbox_depth",
  help: "Anomalies that wait to be told on a channel.",
  type: "gauge",
  labels: { channel: null },
};
const oldest: MetricDefinition = {
  name: "nam_outbox_oldest_age_seconds",
  help: "How long the next message of a channel is overdue; 0 while nothing is.",
  type: "gauge",
  labels: { channel: null },
};
const circuit: MetricDefinition = {
  name: "nam_channel_circuit_open",
  help: "1 while a channel is left alone because it kept failing, or because it is gone or refuses this agent.",
  type: "gauge",
  labels: { channel: null },
};
const deadLetters: MetricDefinition = {
  name: "nam_dead_letters_total",
  help: "Anomalies given up on a channel: refused by it, or not deliverable for too long.",
  type: "counter",
  labels: { channel: null },
};

const deadLettersKept: MetricDefinition = {
  name: "nam_dead_letters_kept",
  help: "Dead letters of a channel that are kept, for `nam alerts retry`.",
  type: "gauge",
  labels: { channel: null },
};
const durable: MetricDefinition = {
  name: "nam_outbox_durable",
  help: "1 while what is to be told is on the disk and survives a restart; 0 while the disk does not take it.",
  type: "gauge",
};
const silencesActive: MetricDefinition = {
  name: "nam_silences_active",
  help: "Silences, and maintenance windows of the configuration, that keep messages back now.",
  type: "gauge",
  labels: { kind: ["silence", "maintenance"] },
};

/** Every family of the alert stage, for the catalogue. */
export const alertMetrics: readonly MetricDefinition[] = [
  notifications,
  events,
  seconds,
  depth,
  oldest,
  circuit,
  deadLetters,
  deadLettersKept,
  durable,
  silencesActive,
];

/** Levels of a channel at a scrape. */
export interface ChannelLevels {
  readonly depth: number;
  readonly overdueSeconds: number;
  readonly suspended: boolean;
  /** Dead letters that are kept. */
  readonly dead: number;
}

/** The series of one channel. */
export interface ChannelMetrics {
  attempt(outcome: NotificationOutcome): void;
  fate(fate: EventFate, count: number): void;
  delivered(waitSeconds: number): void;
  deadLetters(count: number): void;
}

/** The alert stage's instruments; a channel's series exist at 0 as soon as it is known. */
export class AlertMetrics {
  readonly #notifications: CounterInstrument;
  readonly #events: CounterInstrument;
  readonly #seconds: HistogramInstrument;
  readonly #depth: GaugeInstrument;
  readonly #oldest: GaugeInstrument;
  readonly #circuit: GaugeInstrument;
  readonly #deadLetters: CounterInstrument;
  readonly #deadLettersKept: GaugeInstrument;
  /** 1 while what is to be told survives a restart. */
  readonly durable: GaugeInstrument;
  readonly silencesActive: GaugeInstrument;

  constructor(registry: MetricsRegistry) {
    this.#notifications = registry.counter(notifications);
    this.#events = registry.counter(events);
    this.#seconds = registry.histogram(seconds);
    this.#depth = registry.gauge(depth);
    this.#oldest = registry.gauge(oldest);
    this.#circuit = registry.gauge(circuit);
    this.#deadLetters = registry.counter(deadLetters);
    this.#deadLettersKept = registry.gauge(deadLettersKept);
    this.durable = registry.gauge(durable);
    this.silencesActive = registry.gauge(silencesActive);
  }

  channel(channel: string): ChannelMetrics {
    for (const outcome of OUTCOMES) this.#notifications.init({ channel, outcome });
    for (const fate of FATES) this.#events.init({ channel, fate });
    this.#seconds.init({ channel });
    this.#deadLetters.init({ channel });
    this.levels(channel, { depth: 0, overdueSeconds: 0, suspended: false, dead: 0 });
    return {
      attempt: (outcome) => this.#notifications.inc({ channel, outcome }),
      fate: (fate, count) => this.#events.inc({ channel, fate }, count),
      delivered: (waitSeconds) => this.#seconds.observe({ channel }, waitSeconds),
      deadLetters: (count) => this.#deadLetters.inc({ channel }, count),
    };
  }

  levels(channel: string, levels: ChannelLevels): void {
    this.#depth.set({ channel }, levels.depth);
    this.#oldest.set({ channel }, levels.overdueSeconds);
    this.#circuit.set({ channel }, levels.suspended ? 1 : 0);
    this.#deadLettersKept.set({ channel }, levels.dead);
  }

  /** Levels of a channel that is no longer configured are not exposed; what it counted stays. */
  forget(channel: string): void {
    for (const gauge of [this.#depth, this.#oldest, this.#circuit, this.#deadLettersKept]) {
      gauge.remove({ channel });
    }
  }
}
