// SPDX-License-Identifier: AGPL-3.0-or-later
// What each channel would send for an alert, and every reason why it should not.
import type { Alert } from "../../src/alert/alert.ts";
import { AlertBoard } from "../../src/notify/alert-board.ts";
import { discordPayload } from "../../src/notify/discord.ts";
import { linesOf } from "../../src/notify/file.ts";
import { type Mail, mailOf } from "../../src/notify/mail.ts";
import { otlpPayload } from "../../src/notify/otlp.ts";
import { pagerdutyEvents } from "../../src/notify/pagerduty.ts";
import { slackPayload } from "../../src/notify/slack.ts";
import { webhookBody } from "../../src/notify/standard-webhook.ts";
import { syslogMessages } from "../../src/notify/syslog.ts";
import { teamsPayload } from "../../src/notify/teams.ts";
import { telegramPayload } from "../../src/notify/telegram.ts";
import {
  discordHazards,
  discordViolations,
  FORBIDDEN,
  slackHazards,
  slackViolations,
} from "./vendor-checks.ts";
import { vendorSchemas } from "./vendor-schemas.ts";

const KEY = "x".repeat(32);

type Problems = Readonly<Record<string, (alert: Alert) => string[]>>;

const services: Problems = {
  slack: (alert) => {
    const payload = slackPayload(alert);
    return [...slackViolations(payload), ...slackHazards(payload)];
  },
  discord: (alert) => {
    const payload = discordPayload(alert);
    return [...discordViolations(payload), ...discordHazards(payload)];
  },
  teams: (alert) => checked("teams", teamsPayload(alert)),
  telegram: (alert) => checked("telegram", { chat_id: 1, ...telegramPayload(alert) }),
  pagerduty: (alert) =>
    pagerdutyEvents(alert).flatMap((event) => checked("pagerduty", { routing_key: KEY, ...event })),
  webhook: (alert) => checked("webhook", JSON.parse(webhookBody(alert))),
  alertmanager: (alert) => checked("alertmanager", new AlertBoard().accept(alert, alert.sentMs)),
  email: (alert) => mailProblems(mailOf(alert, { from: "a@b.example", to: ["c@d.example"] })),
};

const logs: Problems = {
  otlp: (alert) => checked("otlp", otlpPayload(alert, { nowMs: alert.sentMs, version: "1.0.0" })),
  "syslog over UDP": (alert) => syslogProblems(alert, "udp", 2_048),
  "syslog over TLS": (alert) => syslogProblems(alert, "tls", 8_192),
  "file ecs": (alert) => lineProblems(linesOf(alert, "ecs", "1.0.0")),
  "file eve": (alert) => lineProblems(linesOf(alert, "eve", "1.0.0")),
};

/** Everything that is wrong with the channel's messages for an alert, by where they go. */
export const problemsByKind = { services, logs } as const;
/** The same for every channel. */
export const problemsOf: Problems = { ...services, ...logs };

function checked(vendor: string, payload: unknown): string[] {
  const text = JSON.stringify(payload);
  const body: unknown = JSON.parse(text);
  const check = vendorSchemas[vendor];
  if (!check) throw new Error(`no schema of ${vendor}`);
  return [...check.violations(body, Buffer.byteLength(text)), ...check.hazards(body)];
}

function mailProblems({ subject, messageId, references, text, html }: Mail): string[] {
  const headers = [subject, messageId, ...references];
  const tags = html.replace(
    /<\/?(?:h3|p|table|tr|td|ul|li|code|small|br)(?: style="color:#[0-9a-f]{6}")?>/g,
    "",
  );
  return [
    ...headers.filter((line) => FORBIDDEN.test(line) || line.length > 990),
    ...references.filter((id) => !/^<[\x21-\x7e]+@b\.example>$/.test(id)),
    ...(/[<>]|&(?!(?:amp|lt|gt|quot);)/.test(tags) ? ["live HTML"] : []),
    ...(FORBIDDEN.test(text.replaceAll("\n", "")) ? ["forbidden character"] : []),
  ];
}

/** RFC 5424 §6, written down as one expression. */
const SYSLOG =
  /^<(\d{1,3})>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [\x21-\x7e]{1,255} nam \d{1,10} [\x21-\x7e]{1,32} (?:-|\[nam@32473(?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*")+\]) (.*)$/u;

function syslogProblems(alert: Alert, transport: "udp" | "tls", max: number): string[] {
  const common = { transport, facility: "local4", enterprise_id: 32_473 } as const;
  return (["json", "cef"] as const).flatMap((content) =>
    syslogMessages(alert, { ...common, content }, "1.0.0").flatMap((message) => {
      const [, priority, body = ""] = SYSLOG.exec(message) ?? [];
      if (priority === undefined) return [`not RFC 5424: ${message.slice(0, 200)}`];
      const isNotice = alert.anomalies.length === 0;
      if (content === "json" && !isNotice) JSON.parse(body);
      return [
        ...(Number(priority) > 191 ? ["priority"] : []),
        ...(Buffer.byteLength(message) > max ? [`${Buffer.byteLength(message)} bytes`] : []),
        ...(FORBIDDEN.test(message) ? ["forbidden character"] : []),
      ];
    }),
  );
}

function lineProblems(lines: string): string[] {
  const parts = lines.split("\n");
  if (parts.pop() !== "") return ["the last line has no end"];
  for (const part of parts) JSON.parse(part);
  return parts.filter((part) => FORBIDDEN.test(part)).map((part) => part.slice(0, 80));
}
