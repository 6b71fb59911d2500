// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Alert, ChannelDefinition } from "../alert/alert.ts";
import { systemClock } from "../util/clock.ts";
import { productBuild } from "../util/version.ts";
import { z } from "../util/zod.ts";
import { deliveryOf } from "./answer.ts";
import { cleanEvent, noticeOf } from "./event.ts";
import { postJson } from "./http.ts";
import { fieldOf } from "./json-body.ts";
import type { Anomaly } from "./parts.ts";
import { readSecret, secretSettings } from "./secret-settings.ts";
import type { Vendor } from "./target.ts";
import { clean } from "./text.ts";
import { targetOf, webhookSettings } from "./webhook.ts";

const VENDOR: Vendor = {
  label: "the collector",
  hosts: [],
  anyHost: true,
  path: /./,
  example: "https://collector.example:4318/v1/logs",
};

const settings = webhookSettings("otlp", VENDOR, {
  minimum_severity: z
    .enum(["info", "warning", "critical"])
    .default("info")
    .describe("Anomalies below this severity are not told here."),
  ...secretSettings("authorization", "Value of the Authorization header, like Bearer …"),
});

/** An OpenTelemetry collector, or whatever takes OTLP logs over HTTP: one log record an event. */
export const otlp = {
  type: "otlp",
  help: "OpenTelemetry: one log record an event, OTLP over HTTP in JSON",
  settings,
  rate: { perSecond: 20, burst: 20 },
  usesNetwork: true,
  everyEvent: true,
  create(values, log) {
    const { version } = productBuild();
    const authorization = readSecret(values, "authorization", log);
    const target = { ...targetOf(values, VENDOR, log), label: VENDOR.label, authorization };
    return {
      async send(alert, signal) {
        const result = await postJson(
          target,
          otlpPayload(alert, { nowMs: systemClock.now(), version }),
          signal,
        );
        const delivery = deliveryOf(result, { label: target.label, nowMs: systemClock.now() });
        if (delivery.outcome !== "delivered" || result.kind !== "answer") return delivery;
        // https://opentelemetry.io/docs/specs/otlp/#partial-success-1: not to be sent again.
        const rejected = Number(fieldOf(result.body, "partialSuccess", "rejectedLogRecords") ?? 0);
        if (!(rejected > 0)) return delivery;
        const detail = `${delivery.detail}, but refused ${rejected} records`;
        return { outcome: "rejected", reason: "rejected", detail };
      },
    };
  },
} satisfies ChannelDefinition<z.output<typeof settings>>;

/** https://opentelemetry.io/docs/specs/otel/logs/data-model/#mapping-of-severitynumber: syslog's Critical is ERROR2. */
const SEVERITIES = {
  info: [9, "INFO"],
  warning: [13, "WARN"],
  critical: [18, "CRITICAL"],
} as const;

type Value =
  | { readonly stringValue: string }
  | { readonly doubleValue: number }
  | { readonly boolValue: boolean };
interface Attribute {
  readonly key: string;
  readonly value: Value;
}

/** https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto, as JSON. */
export function otlpPayload(
  alert: Alert,
  { nowMs, version }: { readonly nowMs: number; readonly version: string },
): Record<string, unknown> {
  const records = alert.anomalies.map((anomaly) => recordOf(cleanEvent(anomaly), nowMs));
  return {
    resourceLogs: [
      {
        resource: {
          attributes: attributesOf({
            "service.name": "network-anomaly-monitor",
            "service.version": version,
            "host.name": clean(alert.agent),
          }),
        },
        scopeLogs: [
          {
            scope: { name: "network-anomaly-monitor", version },
            logRecords: records.length > 0 ? records : [noticeRecord(alert, nowMs)],
          },
        ],
      },
    ],
  };
}

function noticeRecord(alert: Alert, nowMs: number): Record<string, unknown> {
  const { kind, text } = noticeOf(alert);
  return {
    timeUnixNano: nanos(alert.createdMs),
    observedTimeUnixNano: nanos(nowMs),
    severityNumber: 9,
    severityText: "INFO",
    eventName: `nam.${kind}`,
    body: { stringValue: text },
    attributes: [],
  };
}

function recordOf(event: Anomaly, nowMs: number): Record<string, unknown> {
  const [severityNumber, severityText] =
    SEVERITIES[event.state === "resolved" ? "info" : event.severity];
  const { entity, threshold, suggestion } = event;
  return {
    timeUnixNano: nanos(event.time * 1_000),
    observedTimeUnixNano: nanos(nowMs),
    severityNumber,
    severityText,
    eventName: "nam.anomaly",
    body: { stringValue: event.explanation },
    attributes: attributesOf({
      "nam.incident": event.id,
      "nam.dedup_key": event.dedup_key,
      "nam.detector": event.detector,
      "nam.class": event.class,
      "nam.severity": event.severity,
      "nam.state": event.state,
      "nam.entity.kind": entity.kind,
      "nam.entity.key": entity.key,
      // https://opentelemetry.io/docs/specs/semconv/registry/attributes/
      "source.address": entity.source,
      "destination.address": entity.destination,
      "destination.port": entity.port,
      "network.transport": event.protocol,
      "network.interface.name": event.interface,
      "nam.observed": event.observed,
      "nam.expected": event.expected,
      "nam.zscore": event.z ?? undefined,
      "nam.threshold": threshold.value,
      "nam.threshold.setting": threshold.setting,
      "nam.count": event.count,
      "nam.degraded": event.degraded,
      "nam.evidence": event.evidence.join("; "),
      "nam.wireshark_filter": suggestion.wireshark_filter,
    }),
  };
}

function attributesOf(
  values: Readonly<Record<string, string | number | boolean | undefined>>,
): Attribute[] {
  return Object.entries(values).flatMap(([key, value]): Attribute[] => {
    switch (typeof value) {
      case "string":
        return [{ key, value: { stringValue: value } }];
      case "boolean":
        return [{ key, value: { boolValue: value } }];
      case "number":
        // JSON has no form for what is not finite.
        return Number.isFinite(value) ? [{ key, value: { doubleValue: value } }] : [];
      default:
        return [];
    }
  });
}

/** fixed64 is a string in protobuf's JSON: https://protobuf.dev/programming-guides/json/ */
function nanos(timeMs: number): string {
  const bounded = Number.isFinite(timeMs) ? Math.max(0, Math.min(timeMs, 2 ** 43)) : 0;
  return String(BigInt(Math.round(bounded * 1_000)) * 1_000n);
}
