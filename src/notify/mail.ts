// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import type { Alert } from "../alert/alert.ts";
import { LEVELS, type Message, messageOf } from "./message.ts";
import type { Fact } from "./parts.ts";
import type { Templates } from "./template.ts";
import { shorten } from "./text.ts";

/** RFC 5322 §2.1.1 allows 998 characters a line; mail readers show far less of a subject. */
const SUBJECT_MAX = 200;
/** A message names at most 10 anomalies. */
const REFERENCES_MAX = 10;

/** One e-mail, of texts without control characters. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  readonly references: readonly string[];
  readonly date: Date;
  readonly isUrgent: boolean;
}

/**
 * The mail for an alert. An incident's opening has an id that follows from the incident, and everything later refers to
 * it (RFC 5322 §3.6.4), so that mail readers show one thread; a message sent twice has the same id twice.
 */
export function mailOf(
  alert: Alert,
  options: {
    readonly from: string;
    readonly to: readonly string[];
    readonly templates?: Templates;
  },
): Mail {
  const { from, to, templates } = options;
  const message = messageOf(alert, templates);
  const domain = from.slice(from.lastIndexOf("@") + 1);
  const [first] = alert.anomalies;
  const roots = alert.anomalies.map(({ id }) => messageId("incident", alert.agent + id, domain));
  const isOpening = first !== undefined && alert.state === "open";
  const own = messageId("alert", alert.id, domain);
  return {
    from,
    to,
    subject: shorten(message.title, SUBJECT_MAX),
    text: textOf(message),
    html: htmlOf(message),
    messageId: isOpening ? (roots[0] ?? own) : own,
    references: (isOpening ? roots.slice(1) : roots).slice(0, REFERENCES_MAX),
    date: new Date(alert.sentMs),
    isUrgent: message.level === "critical",
  };
}

function messageId(kind: string, of: string, domain: string): string {
  const hash = createHash("sha256").update(of).digest("hex").slice(0, 32);
  return `<nam.${kind}.${hash}@${domain}>`;
}

function textOf(message: Message): string {
  const { lead, facts, evidence, others, snippets, notes, footer } = message;
  const parts = [
    [lead],
    facts.map((fact) => `${fact.label}: ${factValue(fact)}`),
    evidence.map((line) => `- ${line}`),
    others.lines.length > 0
      ? [`${others.heading}:`, ...others.lines.map((line) => `- ${line}`)]
      : [],
    [others.more],
    snippets.map(({ label, code }) => `${label}: ${code}`),
    notes,
    // RFC 3676 §4.3: what follows "-- " is a signature.
    [`-- \n${footer}`],
  ];
  return parts
    .map((lines) => lines.filter((line) => line !== "").join("\n"))
    .filter((part) => part !== "")
    .join("\n\n");
}

function htmlOf(message: Message): string {
  const { level, title, lead, facts, evidence, others, snippets, notes, footer } = message;
  const colour = `#${LEVELS[level].colour.toString(16).padStart(6, "0")}`;
  return [
    `<h3 style="color:${colour}">${html(title)}</h3>`,
    `<p>${html(lead)}</p>`,
    table(facts.map((fact) => [html(fact.label), html(factValue(fact))])),
    list(evidence),
    others.lines.length > 0 ? `<p>${html(others.heading)}:</p>${list(others.lines)}` : "",
    others.more === "" ? "" : `<p>${html(others.more)}</p>`,
    table(snippets.map(({ label, code }) => [html(label), `<code>${html(code)}</code>`])),
    `<p><small>${[...notes, footer].map(html).join("<br>")}</small></p>`,
  ].join("\n");
}

function table(rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return "";
  return `<table>${rows.map(([label, value]) => `<tr><td>${label}</td><td>${value}</td></tr>`).join("")}</table>`;
}

function list(lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return `<ul>${lines.map((line) => `<li>${html(line)}</li>`).join("")}</ul>`;
}

function factValue(fact: Fact): string {
  if ("value" in fact) return fact.value;
  return `${new Date(fact.timeMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function html(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
