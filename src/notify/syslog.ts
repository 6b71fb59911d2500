// SPDX-License-Identifier: AGPL-3.0-or-later

import {
  type Alert,
  type ChannelDefinition,
  type Delivery,
  routingSettings,
} from "../alert/alert.ts";
import { productBuild } from "../util/version.ts";
import { z } from "../util/zod.ts";
import { readCa } from "./ca-file.ts";
import { cefOf } from "./cef.ts";
import { cleanEvent, fitting, noticeOf } from "./event.ts";
import { failureOf } from "./failure.ts";
import { FACILITIES, type SyslogFrame, syslogMessage } from "./syslog-message.ts";
import { type Collector, sendDatagrams, sendStream } from "./syslog-transport.ts";
import { timeoutSetting } from "./target-settings.ts";

// RFC 5424 §6.1: receivers should take 2048 octets; over UDP RFC 5426 §3.2 asks for what fits a path of 1500 or less.
const UDP_MAX_BYTES = 1_400;
/** rsyslog's default for everything else: https://www.rsyslog.com/doc/configuration/global/index.html */
const STREAM_MAX_BYTES = 8_000;

const settings = z.strictObject({
  ...routingSettings("syslog"),
  minimum_severity: routingSettings("syslog").minimum_severity.default("info"),
  host: z.string().min(1).max(253).describe("Name or address of the collector."),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe("Its port. Default: 6514 for TLS, 514 for UDP and 601 for TCP."),
  transport: z
    .enum(["tls", "tcp", "udp"])
    .default("tls")
    .describe(
      "tls (RFC 5425), or tcp (RFC 6587, octet-counted) or udp (RFC 5426), which anybody on the way can read.",
    ),
  ca_file: z
    .string()
    .min(1)
    .optional()
    .describe("Authority (PEM) that vouches for the collector. Default: those the system trusts."),
  content: z.enum(["json", "cef"]).default("json").describe("Form of what follows the header."),
  facility: z.enum(FACILITIES).default("local4").describe("Facility of the messages."),
  enterprise_id: z
    .int()
    .min(1)
    .max(4_294_967_295)
    .default(32_473)
    .describe(
      "Private enterprise number in the name of the structured data. Default: that of examples (RFC 5612).",
    ),
  timeout_seconds: timeoutSetting,
  allow_private: z
    .boolean()
    .default(true)
    .describe("Permit a collector on a private or loopback address, where nearly all are."),
});

type Settings = z.output<typeof settings>;
const PORTS = { tls: 6_514, udp: 514, tcp: 601 } as const;

/** A syslog collector: one message an event. */
export const syslog = {
  type: "syslog",
  help: "A syslog collector (RFC 5424) over TLS, TCP or UDP, in JSON or CEF, one message an event",
  settings,
  rate: { perSecond: 20, burst: 20 },
  usesNetwork: true,
  everyEvent: true,
  create(values) {
    const { host, transport, allow_private, timeout_seconds } = values;
    const ca = readCa(values.name, values.ca_file);
    const { version } = productBuild();
    const collector: Collector = {
      host,
      port: values.port ?? PORTS[transport],
      allowPrivate: allow_private,
      timeoutMs: timeout_seconds * 1_000,
      tls: transport === "tls" ? { ca } : null,
    };
    const send = transport === "udp" ? sendDatagrams : sendStream;
    return {
      send: (alert, signal) =>
        deliver(collector, signal, (limit) =>
          send(collector, syslogMessages(alert, values, version), limit),
        ),
    };
  },
} satisfies ChannelDefinition<Settings>;

async function deliver(
  { timeoutMs }: Collector,
  signal: AbortSignal,
  send: (limit: AbortSignal) => Promise<string>,
): Promise<Delivery> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return { outcome: "delivered", detail: await send(AbortSignal.any([signal, limit])) };
  } catch (error) {
    const isStopped = signal.aborted;
    const attempt = { label: "the collector", timeoutMs, isStopped, isLate: limit.aborted };
    const { reason, detail } = failureOf(error, attempt);
    return { outcome: "retry", reason, detail };
  }
}

/** The messages for one alert, each within what the transport carries. */
export function syslogMessages(
  alert: Alert,
  values: Pick<Settings, "transport" | "content" | "facility" | "enterprise_id">,
  version: string,
): string[] {
  const max = values.transport === "udp" ? UDP_MAX_BYTES : STREAM_MAX_BYTES;
  const frame: SyslogFrame = {
    agent: alert.agent,
    facility: values.facility,
    enterpriseId: values.enterprise_id,
  };
  if (alert.anomalies.length === 0) {
    const { kind, text } = noticeOf(alert);
    return [
      syslogMessage(frame, {
        timeMs: alert.createdMs,
        severity: "info",
        id: kind,
        data: {},
        content: text,
      }),
    ];
  }
  return alert.anomalies.map((anomaly) =>
    fitting(max, (textMax) => {
      const event = cleanEvent(anomaly, textMax);
      const { id, detector, severity, state } = event;
      return syslogMessage(frame, {
        timeMs: event.time * 1_000,
        severity: state === "resolved" ? "resolved" : severity,
        id: detector,
        data: { incident: id, detector, severity, state, entity: event.entity.key },
        content:
          values.content === "cef"
            ? cefOf(event, version)
            : ascii(JSON.stringify(trimmed(event, textMax))),
      });
    }),
  );
}

/** What helps a search in a log, without the rest where there is hardly any room. */
function trimmed(event: ReturnType<typeof cleanEvent>, textMax: number): object {
  if (textMax > 48) return event;
  const { id, detector, severity, state, explanation, observed, expected } = event;
  return { id, detector, severity, state, explanation, observed, expected };
}

/** JSON of ASCII alone, which needs no byte order mark (RFC 5424 §6.4) and that no collector can misread. */
function ascii(json: string): string {
  return json.replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
