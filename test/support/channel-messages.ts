// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Alert } from "../../src/alert/alert.ts";
import { AlertBoard } from "../../src/notify/alert-board.ts";
import { discordPayload } from "../../src/notify/discord.ts";
import { cleanEvent } from "../../src/notify/event.ts";
import { linesOf } from "../../src/notify/file.ts";
import { mailOf } from "../../src/notify/mail.ts";
import { otlpPayload } from "../../src/notify/otlp.ts";
import { pagerdutyEvents } from "../../src/notify/pagerduty.ts";
import { slackPayload } from "../../src/notify/slack.ts";
import { webhookBody } from "../../src/notify/standard-webhook.ts";
import { syslogMessages } from "../../src/notify/syslog.ts";
import { teamsPayload } from "../../src/notify/teams.ts";
import { telegramPayload } from "../../src/notify/telegram.ts";

/** What every channel would send of an alert, as text, by its type and, where it has several, its form. */
export function messagesOf(alert: Alert): Record<string, string> {
  const syslog = { transport: "tcp", facility: "local4", enterprise_id: 32_473 } as const;
  const messages: Record<string, unknown> = {
    slack: slackPayload(alert),
    discord: discordPayload(alert),
    teams: teamsPayload(alert),
    telegram: telegramPayload(alert),
    pagerduty: pagerdutyEvents(alert),
    webhook: webhookBody(alert),
    alertmanager: new AlertBoard().accept(alert, alert.sentMs),
    otlp: otlpPayload(alert, { nowMs: alert.sentMs, version: "1" }),
    email: mailOf(alert, { from: "a@b.example", to: ["c@d.example"] }),
    "syslog json": syslogMessages(alert, { ...syslog, content: "json" }, "1"),
    "syslog cef": syslogMessages(alert, { ...syslog, content: "cef" }, "1"),
    "file ecs": linesOf(alert, "ecs", "1"),
    "file eve": linesOf(alert, "eve", "1"),
    log: alert.anomalies.map(cleanEvent),
    stdout: alert.anomalies.map(cleanEvent),
  };
  return Object.fromEntries(
    Object.entries(messages).map(([channel, message]) => [
      channel,
      typeof message === "string" ? message : JSON.stringify(message),
    ]),
  );
}
