// SPDX-License-Identifier: AGPL-3.0-or-later

import {
  type Alert,
  type ChannelDefinition,
  type Delivery,
  type Notifier,
  routingSettings,
} from "../alert/alert.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import { z } from "../util/zod.ts";
import { AlertBoard, type AlertmanagerAlert, noticeAlert } from "./alert-board.ts";
import { deliveryOf } from "./answer.ts";
import { postJson } from "./http.ts";
import { readSecret, secretSettings } from "./secret-settings.ts";
import type { Target, Vendor } from "./target.ts";
import { fixedTarget, reachSettings } from "./target-settings.ts";

/** https://prometheus.io/docs/alerting/latest/clients/: alerts are sent again as long as they are active. */
const RESEND_MS = 60_000;
const API_PATH = "/api/v2/alerts";

const VENDOR: Vendor = {
  label: "Alertmanager",
  hosts: [],
  anyHost: true,
  path: /./,
  example: "http://alertmanager:9093",
};

const settings = z.strictObject({
  ...routingSettings("alertmanager"),
  minimum_severity: routingSettings("alertmanager").minimum_severity.default("info"),
  urls: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .max(16)
    .describe(
      "Every replica of the cluster, like http://alertmanager-0:9093; never a load balancer.",
    ),
  ...secretSettings("authorization", "Value of the Authorization header, like Basic …"),
  ...reachSettings({ http: true, private: true }),
});

/** An Alertmanager cluster: every replica is told, again and again, what fires. */
export const alertmanager = {
  type: "alertmanager",
  help: "Prometheus Alertmanager, every replica, through API v2",
  settings,
  rate: { perSecond: 5, burst: 10 },
  usesNetwork: true,
  everyEvent: true,
  create(values, log) {
    const authorization = readSecret(values, "authorization", log);
    const targets = values.urls.map((url, index) => ({
      ...fixedTarget(
        values,
        url.replace(/\/+$/, "") + API_PATH,
        VENDOR,
        `Alertmanager ${index + 1}`,
      ),
      authorization,
    }));
    const heartbeatMs = values.heartbeat_minutes * 60_000;
    return new AlertmanagerNotifier({ targets, heartbeatMs, log, clock: systemClock });
  },
} satisfies ChannelDefinition<z.output<typeof settings>>;

interface Options {
  readonly targets: readonly Target[];
  readonly heartbeatMs: number;
  readonly log: Log;
  readonly clock: Clock;
}

/** Tells changes when they come, and everything once a minute: a replica that missed one has it a minute later. */
export class AlertmanagerNotifier implements Notifier {
  readonly #options: Options;
  readonly #board = new AlertBoard();
  readonly #closing = new AbortController();
  #cancelResend = (): void => {};
  #agent = "";

  constructor(options: Options) {
    this.#options = options;
  }

  async send(alert: Alert, signal: AbortSignal): Promise<Delivery> {
    const nowMs = this.#options.clock.now();
    this.#agent = alert.agent;
    const { heartbeatMs } = this.#options;
    if (alert.anomalies.length === 0)
      return this.#post([noticeAlert(alert, nowMs, heartbeatMs)], signal);
    const changed = this.#board.accept(alert, nowMs);
    this.#plan();
    return this.#post(changed, signal);
  }

  /** Incidents of an earlier run or configuration that were told here: they go on being sent. */
  resume(anomalies: Alert["anomalies"], agent: string): void {
    this.#agent = agent;
    this.#board.accept({ anomalies, agent }, this.#options.clock.now());
    this.#plan();
  }

  async close(): Promise<void> {
    this.#cancelResend();
    this.#closing.abort();
  }

  #plan(): void {
    this.#cancelResend();
    if (this.#closing.signal.aborted || this.#board.isEmpty) return;
    this.#cancelResend = this.#options.clock.after(RESEND_MS, () => void this.#resend());
  }

  async #resend(): Promise<void> {
    const alerts = this.#board.list(this.#options.clock.now());
    if (alerts.length > 0) {
      const delivery = await this.#post(alerts, this.#closing.signal);
      if (delivery.outcome !== "delivered" && !this.#closing.signal.aborted) {
        const { detail } = delivery;
        this.#options.log.warn(
          { detail, agent: this.#agent },
          "active alerts could not be sent again",
        );
      }
    }
    this.#plan();
  }

  /** Delivered where at least one replica took it: the others get it with the next round. */
  async #post(alerts: readonly AlertmanagerAlert[], signal: AbortSignal): Promise<Delivery> {
    const { targets, clock } = this.#options;
    const deliveries = await Promise.all(
      targets.map(async (target) =>
        deliveryOf(await postJson(target, alerts, signal), {
          label: target.label,
          nowMs: clock.now(),
        }),
      ),
    );
    const taken = deliveries.filter(({ outcome }) => outcome === "delivered");
    const failed = deliveries.find(({ outcome }) => outcome !== "delivered");
    const [first] = deliveries;
    if (taken.length > 0 && failed) {
      const detail = `${taken.length} of ${targets.length} replicas took it; ${failed.detail}`;
      return { outcome: "delivered", detail };
    }
    // As long as one replica may come back, the message is not lost.
    const hopeful = deliveries.find(({ outcome }) => outcome === "retry");
    return hopeful ?? first ?? { outcome: "rejected", reason: "rejected", detail: "no replica" };
  }
}
