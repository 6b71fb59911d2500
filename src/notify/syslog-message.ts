// SPDX-License-Identifier: AGPL-3.0-or-later
import { isoTime } from "./event.ts";
import { clean } from "./text.ts";

/** RFC 5424 §6.2.1, in the order of their numbers. */
export const FACILITIES = [
  "kern",
  "user",
  "mail",
  "daemon",
  "auth",
  "syslog",
  "lpr",
  "news",
  "uucp",
  "cron",
  "authpriv",
  "ftp",
  "ntp",
  "audit",
  "alert",
  "clock",
  "local0",
  "local1",
  "local2",
  "local3",
  "local4",
  "local5",
  "local6",
  "local7",
] as const;

/** RFC 5424 §6.2.1: critical, warning, notice, informational. */
const SEVERITIES = { critical: 2, warning: 4, resolved: 5, info: 6 } as const;

// RFC 5424 §6: longest HOSTNAME and MSGID.
const HOSTNAME_MAX = 255;
const MSGID_MAX = 32;
const APP_NAME = "nam";

/** What is the same in all messages of a channel. */
export interface SyslogFrame {
  readonly agent: string;
  readonly facility: (typeof FACILITIES)[number];
  readonly enterpriseId: number;
}

export interface SyslogEntry {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly severity: keyof typeof SEVERITIES;
  /** MSGID: the kind of message. */
  readonly id: string;
  /** Structured data: names of our own, values of anybody. */
  readonly data: Readonly<Record<string, string>>;
  readonly content: string;
}

/** One message of RFC 5424, without the frame of its transport. */
export function syslogMessage(frame: SyslogFrame, entry: SyslogEntry): string {
  const priority = FACILITIES.indexOf(frame.facility) * 8 + SEVERITIES[entry.severity];
  const host = token(frame.agent, HOSTNAME_MAX);
  const id = token(entry.id, MSGID_MAX);
  const data = structuredData(frame.enterpriseId, entry.data);
  return `<${priority}>1 ${isoTime(entry.timeMs)} ${host} ${APP_NAME} ${process.pid} ${id} ${data} ${entry.content}`;
}

/** PRINTUSASCII of §6: what else is in the text becomes `_`. */
function token(text: string, max: number): string {
  return text.slice(0, max).replace(/[^\x21-\x7e]/g, "_") || "-";
}

/** §6.3: values are UTF-8 with quotes, backslashes and closing brackets escaped. */
function structuredData(enterpriseId: number, data: Readonly<Record<string, string>>): string {
  const entries = Object.entries(data);
  if (entries.length === 0) return "-";
  const params = entries.map(
    ([name, value]) => `${name}="${clean(value, 256).replace(/["\\\]]/g, "\\$&")}"`,
  );
  return `[nam@${enterpriseId} ${params.join(" ")}]`;
}
