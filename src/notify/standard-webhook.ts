// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHmac } from "node:crypto";
import type { z } from "zod";
import type { Alert, ChannelDefinition } from "../alert/alert.ts";
import { systemClock } from "../util/clock.ts";
import { NamError } from "../util/errors.ts";
import type { Secret } from "../util/secret.ts";
import { deliveryOf } from "./answer.ts";
import { cleanEvent, fitting, isoTime, noticeOf } from "./event.ts";
import { post } from "./http.ts";
import { messageOf } from "./message.ts";
import { readSecret, secretSettings } from "./secret-settings.ts";
import type { Vendor } from "./target.ts";
import { type Templates, templateSettings } from "./template.ts";
import { clean } from "./text.ts";
import { targetOf, webhookSettings } from "./webhook.ts";

// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: bodies below 20 KB,
// secrets of 24 to 64 bytes.
const BODY_MAX_BYTES = 19_999;
const SECRET_MIN_BYTES = 24;
const SECRET_MAX_BYTES = 64;

const VENDOR: Vendor = {
  label: "the receiver",
  hosts: [],
  anyHost: true,
  path: /./,
  example: "https://receiver.example/hooks/nam",
};

const settings = webhookSettings("webhook", VENDOR, {
  ...secretSettings(
    "signing_secret",
    "Secret the messages are signed with (whsec_ and base64); several, separated by spaces, while one replaces another",
  ),
  ...templateSettings,
});

/** Any receiver of JSON, signed as Standard Webhooks has it. */
export const standardWebhook = {
  type: "webhook",
  help: "Any receiver of JSON over HTTPS, with the signature of Standard Webhooks",
  settings,
  rate: { perSecond: 5, burst: 5 },
  usesNetwork: true,
  create(values, log) {
    const target = targetOf(values, VENDOR, log);
    const keys = keysOf(values.name, readSecret(values, "signing_secret", log));
    return {
      async send(alert, signal) {
        const body = webhookBody(alert, values);
        const headers = signedHeaders(alert.id, systemClock.now(), body, keys);
        const result = await post(target, body, signal, headers);
        return deliveryOf(result, { label: target.label, nowMs: systemClock.now() });
      },
    };
  },
} satisfies ChannelDefinition<z.output<typeof settings>>;

/** The keys of all secrets; a receiver may know any one of them. Throws CHANNEL where one is not what the standard says. */
function keysOf(channel: string, secret: Secret | undefined): readonly Buffer[] {
  if (!secret) return [];
  return secret
    .reveal()
    .split(/\s+/)
    .map((text) => {
      const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
      const key = Buffer.from(encoded ?? "", "base64");
      if (key.length >= SECRET_MIN_BYTES && key.length <= SECRET_MAX_BYTES) return key;
      throw new NamError(
        "CHANNEL",
        `channel ${channel}: signing_secret must be whsec_ and the base64 of 24 to 64 random bytes`,
      );
    });
}

/** The id stays over retries, so that a receiver can drop repeats; the time is that of the attempt. */
export function signedHeaders(
  alertId: string,
  nowMs: number,
  body: string,
  keys: readonly Buffer[],
): Record<string, string> {
  const id = `msg_${alertId.replace(/[^A-Za-z0-9_-]/g, "").slice(0, 64)}`;
  const timestamp = String(Math.floor(nowMs / 1_000));
  const headers = { "webhook-id": id, "webhook-timestamp": timestamp };
  if (keys.length === 0) return headers;
  const signatures = keys.map((key) => {
    const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
    return `v1,${mac}`;
  });
  return { ...headers, "webhook-signature": signatures.join(" ") };
}

const TYPES = {
  open: "nam.anomaly.opened",
  update: "nam.anomaly.updated",
  resolved: "nam.anomaly.resolved",
} as const;

/** The body: what happened, in words and as data, below 20 KB. What does not fit is counted in `more`. */
export function webhookBody(alert: Alert, templates?: Templates): string {
  const { title, lead } = messageOf(alert, templates);
  const type = alert.anomalies.length > 0 ? TYPES[alert.state] : `nam.${noticeOf(alert).kind}`;
  const { severity, state, digest } = alert;
  const build = (textMax: number, count: number): string =>
    JSON.stringify({
      type,
      timestamp: isoTime(alert.createdMs),
      data: {
        agent: clean(alert.agent),
        severity,
        state,
        title: clean(title, 512),
        text: clean(lead, 2_048),
        anomalies: alert.anomalies.slice(0, count).map((anomaly) => cleanEvent(anomaly, textMax)),
        more: alert.more + Math.max(0, alert.anomalies.length - count),
        digest: digest ? { count: digest.count, seconds: digest.seconds } : null,
      },
    });
  for (let count = alert.anomalies.length; count > 1; count--) {
    const body = build(1_024, count);
    if (Buffer.byteLength(body) <= BODY_MAX_BYTES) return body;
  }
  return fitting(BODY_MAX_BYTES, (textMax) => build(textMax, 1));
}
