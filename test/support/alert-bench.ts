// SPDX-License-Identifier: AGPL-3.0-or-later
import { pino } from "pino";
import type { Alert, Delivery, Notifier } from "../../src/alert/alert.ts";
import { alertSettings } from "../../src/alert/all.ts";
import type { AlertChannel } from "../../src/alert/channel.ts";
import { FATES } from "../../src/alert/metrics.ts";
import type { Outbox } from "../../src/alert/outbox/outbox.ts";
import { AlertRouter } from "../../src/alert/router.ts";
import type { AlertSettings } from "../../src/alert/settings.ts";
import type { Anomaly } from "../../src/detect/detector.ts";
import { MetricsRegistry } from "../../src/metrics/registry.ts";
import { parseText } from "./exposition.ts";
import { FakeClock } from "./fake-clock.ts";

export const OK: Delivery = { outcome: "delivered", detail: "200" };
export const DOWN: Delivery = { outcome: "retry", reason: "network", detail: "refused" };

/** A channel whose answers the test decides. `delivered` holds what its readers saw. */
export class ScriptedChannel implements Notifier {
  readonly attempts: { readonly atMs: number; readonly alert: Alert }[] = [];
  readonly delivered: Alert[] = [];
  closed = 0;
  /** Answers of the next attempts; then `otherwise`. */
  readonly script: (Delivery | Promise<Delivery> | Error)[] = [];
  otherwise: () => Delivery | Promise<Delivery> = () => OK;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async send(alert: Alert): Promise<Delivery> {
    this.attempts.push({ atMs: this.#clock.monotonicMs(), alert });
    const next = this.script.shift() ?? this.otherwise();
    if (next instanceof Error) throw next;
    const delivery = await next;
    if (delivery.outcome === "delivered") this.delivered.push(alert);
    return delivery;
  }

  async close(): Promise<void> {
    this.closed++;
  }

  get times(): number[] {
    return this.attempts.map(({ atMs }) => atMs);
  }

  /** Ids named in delivered messages, in order, each with the state it was told in. */
  get told(): string[] {
    return this.delivered.flatMap(({ anomalies }) =>
      anomalies.map(({ id, state }) => `${id} ${state}`),
    );
  }
}

export interface Bench {
  readonly clock: FakeClock;
  readonly registry: MetricsRegistry;
  readonly router: AlertRouter;
  readonly channel: ScriptedChannel;
  readonly lines: string[];
  accept(...anomalies: readonly Anomaly[]): void;
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

export const SLACK_RATE = { perSecond: 1, burst: 1 };
export const DISCORD_RATE = { perSecond: 2.5, burst: 5 };
export const NO_RATE = { perSecond: 1_000, burst: 1_000 };

export function channelOf(notifier: Notifier, changes: Partial<AlertChannel> = {}): AlertChannel {
  return {
    name: "chat",
    definition: { type: "scripted", rate: NO_RATE },
    notifier,
    minimumSeverity: "warning",
    sendResolved: true,
    heartbeatMs: 0,
    ...changes,
  };
}

/** A router with one scripted channel called `chat`, a clock that stands still and the middle of all jitter. */
export function createBench(
  options: {
    readonly channel?: Partial<AlertChannel>;
    readonly settings?: Partial<AlertSettings>;
    readonly random?: () => number;
    readonly outbox?: Outbox;
    readonly clock?: FakeClock;
  } = {},
): Bench {
  const clock = options.clock ?? new FakeClock();
  const registry = new MetricsRegistry();
  const channel = new ScriptedChannel(clock);
  const lines: string[] = [];
  const router = new AlertRouter({
    channels: [channelOf(channel, options.channel)],
    settings: { ...alertSettings.parse({}), ...options.settings },
    registry,
    clock,
    agent: "host-a",
    log: pino({ level: "debug" }, { write: (line: string) => void lines.push(line) }),
    random: options.random ?? (() => 0.5),
    ...(options.outbox ? { outbox: options.outbox } : {}),
  });
  return {
    clock,
    registry,
    router,
    channel,
    lines,
    accept: (...anomalies) => router.accept(anomalies),
    metric: async (name, labels = {}) => metricOf(registry, name, { channel: "chat", ...labels }),
  };
}

/** The value of one series; throws where it does not exist. */
export async function metricOf(
  registry: MetricsRegistry,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<number> {
  const { body } = await registry.text(false);
  const family = [...parseText(body).values()].find(({ name: known }) =>
    [known, `${known}_sum`, `${known}_count`].includes(name),
  );
  const sample = family?.samples.find(
    (candidate) =>
      candidate.name === name &&
      Object.keys(candidate.labels).length === Object.keys(labels).length &&
      Object.entries(labels).every(([key, value]) => candidate.labels[key] === value),
  );
  if (!sample) throw new Error(`no series ${name} ${JSON.stringify(labels)}`);
  return sample.value;
}

/** Events by fate, and their sum. */
export async function fatesOf(
  bench: Bench,
): Promise<Record<(typeof FATES)[number] | "sum", number>> {
  const entries = await Promise.all(
    FATES.map(
      async (fate) =>
        [fate, await bench.metric("nam_notification_events_total", { fate })] as const,
    ),
  );
  const sum = entries.reduce((total, [, count]) => total + count, 0);
  return { ...(Object.fromEntries(entries) as Record<(typeof FATES)[number], number>), sum };
}
