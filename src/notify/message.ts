// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Alert, Digest } from "../alert/alert.ts";
import {
  type Anomaly,
  type Fact,
  factsOf,
  footerOf,
  overSentence,
  type Snippet,
  snippetsOf,
} from "./parts.ts";
import { applyTemplates, DEFAULT_TEMPLATES, type Templates } from "./template.ts";
import { formatDuration, formatNumber, safe } from "./text.ts";
import { AGENT_MAX, kindOf, titleOf, wordsOf } from "./wording.ts";

/** How a message looks: severity while something is on, `resolved` once all of it is over. */
export type Level = Anomaly["severity"] | "resolved" | "test";

/** Anomalies that are told in a line each, and how many more there are in words ("+17 more"), if any. */
export interface Others {
  readonly heading: string;
  readonly lines: readonly string[];
  readonly more: string;
}

/** A message in words, the same for every vendor: clean of control characters and live links, not yet escaped. */
export interface Message {
  readonly level: Level;
  readonly title: string;
  readonly lead: string;
  readonly facts: readonly Fact[];
  readonly evidence: readonly string[];
  readonly snippets: readonly Snippet[];
  readonly others: Others;
  readonly notes: readonly string[];
  readonly footer: string;
}

export const LEVELS: Readonly<Record<Level, { readonly emoji: string; readonly colour: number }>> =
  {
    critical: { emoji: "🔴", colour: 0xd92d20 },
    warning: { emoji: "🟠", colour: 0xf79009 },
    info: { emoji: "🔵", colour: 0x2e90fa },
    resolved: { emoji: "✅", colour: 0x12b76a },
    test: { emoji: "🧪", colour: 0x667085 },
  };

const PRODUCT = "network-anomaly-monitor";
const LEAD_MAX = 600;
const EVIDENCE_MAX = 220;
const EVIDENCE_COUNT = 5;
const OTHERS_COUNT = 10;
const LINE_MAX = 190;
/** A message this much older than planned says so. */
const LATE_MS = 900_000;

/** The words for one alert, changed as the channel's templates say. */
export function messageOf(alert: Alert, templates: Templates = DEFAULT_TEMPLATES): Message {
  const [first] = alert.anomalies;
  if (!first) return alert.heartbeat ? heartbeatMessage(alert) : testMessage(alert);
  const plain = alert.digest ? digestMessage(alert, alert.digest) : anomalyMessage(alert, first);
  const message = applyTemplates(plain, alert, templates);
  const lateMs = alert.sentMs - alert.createdMs;
  if (lateMs < LATE_MS) return message;
  const late = `[delayed ${formatDuration(Math.floor(lateMs / 60_000) * 60)}]`;
  return { ...message, title: `${late} ${message.title}` };
}

function testMessage(alert: Alert): Message {
  const agent = safe(alert.agent, AGENT_MAX);
  return plainMessage(
    "test",
    `TEST message from ${agent}`,
    `This is a test: nothing is wrong. Alerts of ${agent} reach this channel.`,
  );
}

function heartbeatMessage(alert: Alert): Message {
  const agent = safe(alert.agent, AGENT_MAX);
  return plainMessage("resolved", `${agent} is watching`, "A sign of life: the agent runs.");
}

function plainMessage(level: Level, title: string, lead: string): Message {
  return {
    level,
    title,
    lead,
    facts: [],
    evidence: [],
    snippets: [],
    others: othersOf("", [], 0),
    notes: [],
    footer: PRODUCT,
  };
}

/** The first anomaly in full, the others of the message a line each. */
function anomalyMessage(alert: Alert, first: Anomaly): Message {
  const rest = alert.anomalies.slice(1);
  const further = rest.length + alert.more;
  const isOver = alert.state === "resolved";
  return {
    level: levelOf(alert),
    title: `${titleOf(first, alert)}${further > 0 ? `, and ${further} more` : ""}`,
    lead: leadOf(first, isOver),
    facts: factsOf(first),
    evidence: isOver
      ? []
      : first.evidence.slice(0, EVIDENCE_COUNT).map((fact) => safe(fact, EVIDENCE_MAX)),
    snippets: isOver ? [] : snippetsOf(first),
    others: othersOf("Also", rest, alert.more),
    notes: notesOf(alert.anomalies),
    footer: footerOf(first),
  };
}

function leadOf(anomaly: Anomaly, isKnown: boolean): string {
  const explanation = safe(anomaly.explanation, LEAD_MAX);
  if (anomaly.state !== "resolved") return explanation;
  return isKnown ? overSentence(anomaly) : `${explanation} ${overSentence(anomaly)}`;
}

/** After a burst: how much of what, from where, and the most severe by name. */
function digestMessage(alert: Alert, digest: Digest): Message {
  const kinds = digest.detectors.map(
    ({ name, count }) => `${kindOf(name)} × ${formatNumber(count)}`,
  );
  const sources = digest.topSources.map(
    ({ name, count }) => `${safe(name)} (${formatNumber(count)})`,
  );
  const what = kinds.length === 1 ? kinds[0] : `${formatNumber(digest.count)} anomalies`;
  const span = digest.seconds < 1 ? "at once" : `in ${formatDuration(digest.seconds)}`;
  const level = levelOf(alert);
  const rank = level === "resolved" ? "RESOLVED" : alert.severity.toUpperCase();
  return {
    level,
    title: `${rank} ${what} ${span} on ${safe(alert.agent, AGENT_MAX)}`,
    lead: safe(`${kinds.join(", ")}. Told together to keep this channel readable.`, LEAD_MAX),
    facts: [],
    evidence: sources.length > 0 ? [safe(`Top sources: ${sources.join(", ")}`, LEAD_MAX)] : [],
    snippets: [],
    others: othersOf("Most severe", alert.anomalies, alert.more),
    notes: notesOf(alert.anomalies),
    footer: PRODUCT,
  };
}

function levelOf(alert: Alert): Level {
  const isOver = alert.anomalies.every(({ state }) => state === "resolved");
  return isOver ? "resolved" : alert.severity;
}

function othersOf(heading: string, anomalies: readonly Anomaly[], more: number): Others {
  const listed = anomalies.slice(0, OTHERS_COUNT);
  const unlisted = anomalies.length - listed.length + more;
  return {
    heading,
    lines: listed.map((anomaly) => safe(`${wordsOf(anomaly)}: ${detailOf(anomaly)}`, LINE_MAX)),
    more: unlisted > 0 ? `+${formatNumber(unlisted)} more` : "",
  };
}

function detailOf(anomaly: Anomaly): string {
  return anomaly.state === "resolved" ? overSentence(anomaly) : anomaly.explanation;
}

function notesOf(anomalies: readonly Anomaly[]): string[] {
  if (!anomalies.some(({ degraded }) => degraded)) return [];
  return ["⚠️ More than 1 % of the packets were lost around this time: the numbers may be too low."];
}
