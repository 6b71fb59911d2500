// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import {
  type Alert,
  type ChannelDefinition,
  type Delivery,
  routingSettings,
} from "../alert/alert.ts";
import { systemClock } from "../util/clock.ts";
import { NamError } from "../util/errors.ts";
import type { Secret } from "../util/secret.ts";
import { z } from "../util/zod.ts";
import { deliveryOf } from "./answer.ts";
import { cleanEvent, isoTime } from "./event.ts";
import { postJson } from "./http.ts";
import { messageOf } from "./message.ts";
import type { Anomaly } from "./parts.ts";
import { needSecret, secretProblem, secretSettings } from "./secret-settings.ts";
import type { Target, Vendor } from "./target.ts";
import { fixedTarget, reachSettings } from "./target-settings.ts";
import { type Templates, templateSettings } from "./template.ts";
import { clean, shorten } from "./text.ts";
import { wordsOf } from "./wording.ts";

// https://developer.pagerduty.com/docs/events-api-v2/trigger-events/: summary 1024 characters, dedup_key 255, the
// whole event 512 KB. Ours is an anomaly of at most 25 texts of 1024.
const SUMMARY_MAX = 1_024;
const SOURCE_MAX = 128;

const ENDPOINTS = {
  us: "https://events.pagerduty.com/v2/enqueue",
  eu: "https://events.eu.pagerduty.com/v2/enqueue",
} as const;

const VENDOR: Vendor = {
  label: "PagerDuty",
  hosts: ["events.pagerduty.com", "events.eu.pagerduty.com"],
  path: /^\/v2\/enqueue$/,
  example: ENDPOINTS.us,
};

const settings = z
  .strictObject({
    ...routingSettings("pagerduty"),
    minimum_severity: routingSettings("pagerduty").minimum_severity.default("critical"),
    heartbeat_minutes: z
      .literal(0)
      .default(0)
      .describe("PagerDuty has no use for a sign of life: it would be an incident."),
    ...secretSettings("routing_key", "Integration key of a service's Events API v2 integration"),
    region: z.enum(["us", "eu"]).default("us").describe("Service region of the account."),
    endpoint: z
      .url()
      .optional()
      .describe("A compatible receiver of your own instead; needs allow_private."),
    ...reachSettings(),
    ...templateSettings,
  })
  .superRefine((values, context) => {
    const problem = secretProblem(values, "routing_key", true);
    if (problem) context.addIssue({ code: "custom", path: ["routing_key"], message: problem });
  });

/** A PagerDuty service: one incident an anomaly, resolved when it is over. */
export const pagerduty = {
  type: "pagerduty",
  help: "A PagerDuty service, through Events API v2",
  settings,
  // 120 events a minute are commonly tolerated; a message names at most 10 anomalies, each an event of its own.
  rate: { perSecond: 0.2, burst: 3 },
  usesNetwork: true,
  create(values, log) {
    const key = needSecret(values, "routing_key", log);
    if (!/^[A-Za-z0-9]{32}$/.test(key.reveal())) {
      throw new NamError(
        "CHANNEL",
        `channel ${values.name}: routing_key is not an integration key, which has 32 letters and digits`,
      );
    }
    const target = fixedTarget(values, values.endpoint ?? ENDPOINTS[values.region], VENDOR);
    return { send: (alert, signal) => sendAll(alert, signal, { target, key, templates: values }) };
  },
} satisfies ChannelDefinition<z.output<typeof settings>>;

interface Line {
  readonly target: Target;
  readonly key: Secret;
  readonly templates: Templates;
}

/** One event after the other; what was sent before one failed is sent again, which its dedup_key makes harmless. */
async function sendAll(alert: Alert, signal: AbortSignal, line: Line): Promise<Delivery> {
  let delivery: Delivery = { outcome: "delivered", detail: "nothing to tell" };
  for (const event of pagerdutyEvents(alert, line.templates)) {
    const body = { routing_key: line.key.reveal(), ...event };
    const result = await postJson(line.target, body, signal);
    delivery = deliveryOf(result, { label: line.target.label, nowMs: systemClock.now() });
    if (delivery.outcome !== "delivered") break;
  }
  return delivery;
}

/** The events of one message, without the key. A test is resolved at once, so that nobody is left with it. */
export function pagerdutyEvents(alert: Alert, templates?: Templates): Record<string, unknown>[] {
  const { title, lead } = messageOf(alert, templates);
  const [first, ...others] = alert.anomalies;
  if (!first) {
    const test = { dedup_key: keyOf(alert, `test ${alert.id}`) };
    const payload = {
      summary: summary(`${title}: ${lead}`),
      source: sourceOf(alert),
      severity: "info",
    };
    return [
      { event_action: "trigger", ...test, client: CLIENT, payload },
      { event_action: "resolve", ...test },
    ];
  }
  return [
    eventOf(first, `${title}: ${lead}`, alert),
    ...others.map((anomaly) =>
      eventOf(anomaly, `${wordsOf(anomaly)}: ${anomaly.explanation}`, alert),
    ),
  ];
}

const CLIENT = "network-anomaly-monitor";

function eventOf(anomaly: Anomaly, text: string, alert: Alert): Record<string, unknown> {
  const dedup_key = keyOf(alert, anomaly.id);
  if (anomaly.state === "resolved") return { event_action: "resolve", dedup_key };
  const event = cleanEvent(anomaly);
  return {
    event_action: "trigger",
    dedup_key,
    client: CLIENT,
    payload: {
      summary: summary(text),
      source: sourceOf(alert),
      severity: anomaly.severity,
      timestamp: isoTime(anomaly.time * 1_000),
      component: event.interface,
      group: event.protocol,
      class: event.detector,
      custom_details: event,
    },
  };
}

/** The same over the life of an incident, and never longer than it may be. */
function keyOf({ agent }: Alert, id: string): string {
  return createHash("sha256").update(`${agent}\n${id}`).digest("hex").slice(0, 32);
}

function sourceOf({ agent }: Alert): string {
  return clean(agent, SOURCE_MAX) || "unknown";
}

function summary(text: string): string {
  return shorten(clean(text, SUMMARY_MAX), SUMMARY_MAX);
}
