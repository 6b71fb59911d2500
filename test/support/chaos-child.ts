// SPDX-License-Identifier: AGPL-3.0-or-later
// The alert stage as a process of its own, to be killed at any moment: real outbox, real HTTP, fast time. It takes
// batches of events over IPC and says when they are on the disk.
import { request } from "node:http";
import type { Alert, Delivery, Notifier } from "../../src/alert/alert.ts";
import { alertSettings } from "../../src/alert/all.ts";
import type { AlertChannel } from "../../src/alert/channel.ts";
import { Outbox } from "../../src/alert/outbox/outbox.ts";
import { AlertRouter } from "../../src/alert/router.ts";
import type { Anomaly } from "../../src/detect/detector.ts";
import { MetricsRegistry } from "../../src/metrics/registry.ts";
import { channelSettings, createChannels } from "../../src/notify/all.ts";
import { type Clock, systemClock } from "../../src/util/clock.ts";
import { createLog } from "../../src/util/log.ts";

export interface ChaosOptions {
  readonly directory: string;
  /** Where the stand-in listens. */
  readonly port: number;
  /** Seconds of this clock in one real second, counted from `epochMs` of the wall clock in every life. */
  readonly speed: number;
  readonly epochMs: number;
}

export type ToChild = { readonly batch: number; readonly events: readonly Anomaly[] } | "idle?";
export type FromChild =
  | { readonly stored: number }
  | { readonly idle: boolean }
  | { readonly ready: true };

function fastClock({ speed, epochMs }: ChaosOptions): Clock {
  return {
    now: () => epochMs + (systemClock.now() - epochMs) * speed,
    monotonicMs: () => systemClock.monotonicMs() * speed,
    after: (delayMs, callback, keepAlive) =>
      systemClock.after(delayMs / speed, callback, keepAlive),
  };
}

/** Posts the message as it is, so that the receiver can account for every event in it. */
function jsonNotifier(port: number, path: string): Notifier {
  return {
    send: (alert, signal) => post(port, path, alert, signal),
  };
}

function post(port: number, path: string, alert: Alert, signal: AbortSignal): Promise<Delivery> {
  return new Promise((resolve) => {
    const sent = request({ port, path, method: "POST", signal }, (response) => {
      response.resume();
      const { statusCode = 0, headers } = response;
      if (statusCode === 200) return resolve({ outcome: "delivered", detail: "200" });
      const reason = statusCode === 429 ? "rate_limited" : "server_error";
      const retryAfterMs = Number(headers["retry-after"] ?? 0) * 1_000;
      resolve({ outcome: "retry", reason, detail: String(statusCode), retryAfterMs });
    });
    sent.on("error", () => resolve({ outcome: "retry", reason: "network", detail: "reset" }));
    sent.end(JSON.stringify(alert));
  });
}

function channelsOf(port: number): AlertChannel[] {
  const log = createLog({ level: "silent", format: "json" });
  const url = `http://127.0.0.1:${port}/services/T0/B0/slack`;
  const slack = channelSettings.parse([
    { type: "slack", url, allow_http: true, allow_private: true },
  ]);
  const common = { minimumSeverity: "info", sendResolved: true, heartbeatMs: 0 } as const;
  return [
    {
      ...common,
      name: "all",
      definition: { type: "json", rate: { perSecond: 5, burst: 5 }, everyEvent: true },
      notifier: jsonNotifier(port, "/all"),
    },
    {
      ...common,
      name: "chat",
      definition: { type: "json", rate: { perSecond: 1, burst: 1 } },
      notifier: jsonNotifier(port, "/chat"),
    },
    ...createChannels(slack, { log, stealth: false }),
  ];
}

async function main(options: ChaosOptions): Promise<void> {
  const clock = fastClock(options);
  const log = createLog({ level: "error", format: "json" });
  const router = new AlertRouter({
    channels: channelsOf(options.port),
    settings: alertSettings.parse({ max_messages: 10_000 }),
    registry: new MetricsRegistry(),
    clock,
    agent: "chaos",
    log,
    outbox: await Outbox.open({ directory: options.directory, limitBytes: 2 ** 26, clock, log }),
  });
  const tell = (message: FromChild): void => void process.send?.(message);
  process.on("message", async (message: ToChild) => {
    if (message === "idle?") {
      const isIdle = router.status().every(({ waiting }) => waiting === 0);
      await router.safe();
      tell({ idle: isIdle });
      return;
    }
    router.accept(message.events);
    await router.safe();
    tell({ stored: message.batch });
  });
  process.once("disconnect", () => process.exit());
  tell({ ready: true });
}

await main(JSON.parse(process.argv[2] ?? "") as ChaosOptions);
