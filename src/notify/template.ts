// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Alert } from "../alert/alert.ts";
import { z } from "../util/zod.ts";
import type { Message } from "./message.ts";
import { clean, formatNumber, safe } from "./text.ts";
import { AGENT_MAX, kindOf } from "./wording.ts";

const TEMPLATE_MAX = 1_000;
const TITLE_MAX = 500;
const TEXT_MAX = 2_000;
const PLACEHOLDER = /\{\{\s*([a-z_]+)\s*\}\}/g;

/** What a template may name. Values are clean of control characters and live links before they are put in. */
const VALUES: Readonly<Record<string, (message: Message, alert: Alert) => string>> = {
  title: ({ title }) => title,
  text: ({ lead }) => lead,
  agent: (_, { agent }) => safe(agent, AGENT_MAX),
  severity: (_, { severity }) => severity,
  state: (_, { state }) => state,
  detector: (_, { anomalies }) => safe(anomalies[0]?.detector ?? ""),
  kind: (_, { anomalies }) => kindOf(anomalies[0]?.detector ?? ""),
  entity: (_, { anomalies }) => safe(anomalies[0]?.entity.key ?? ""),
  source: (_, { anomalies }) => safe(anomalies[0]?.entity.source ?? ""),
  destination: (_, { anomalies }) => safe(anomalies[0]?.entity.destination ?? ""),
  protocol: (_, { anomalies }) => safe(anomalies[0]?.protocol ?? ""),
  interface: (_, { anomalies }) => safe(anomalies[0]?.interface ?? ""),
  observed: (_, { anomalies }) => formatNumber(anomalies[0]?.observed ?? Number.NaN),
  expected: (_, { anomalies }) => formatNumber(anomalies[0]?.expected ?? Number.NaN),
  count: (_, { anomalies, more }) => formatNumber(anomalies.length + more),
  incident: (_, { anomalies }) => safe(anomalies[0]?.id ?? ""),
};

const NAMES = Object.keys(VALUES)
  .map((name) => `{{${name}}}`)
  .join(", ");

/** Title and text of a channel's messages: words, and values in double braces. Nothing is evaluated. */
export interface Templates {
  readonly title_template: string;
  readonly text_template: string;
}

export const DEFAULT_TEMPLATES: Templates = {
  title_template: "{{title}}",
  text_template: "{{text}}",
};

/** The settings of a channel whose words may be changed. */
export const templateSettings = {
  title_template: template()
    .default(DEFAULT_TEMPLATES.title_template)
    .describe(
      `Title of a message. In double braces: ${NAMES}; they are about the first anomaly of the message.`,
    ),
  text_template: template()
    .default(DEFAULT_TEMPLATES.text_template)
    .describe("First paragraph of a message, with the same values."),
};

function template() {
  return z
    .string()
    .min(1)
    .max(TEMPLATE_MAX)
    .superRefine((text, context) => {
      const problem = templateProblem(text);
      if (problem !== null) context.addIssue({ code: "custom", message: problem });
    });
}

/** What is wrong with a template; null if nothing is. */
export function templateProblem(text: string): string | null {
  for (const [, name = ""] of text.matchAll(PLACEHOLDER)) {
    if (!Object.hasOwn(VALUES, name)) return `there is no {{${name}}}; there are ${NAMES}`;
  }
  const rest = text.replace(PLACEHOLDER, "");
  return /\{\{|\}\}/.test(rest) ? "has double braces that are not around one of the names" : null;
}

/** The message with the words of the templates. A message without an anomaly keeps its own words. */
export function applyTemplates(message: Message, alert: Alert, templates: Templates): Message {
  if (alert.anomalies.length === 0) return message;
  return {
    ...message,
    title: clean(render(templates.title_template, message, alert), TITLE_MAX),
    lead: clean(render(templates.text_template, message, alert), TEXT_MAX),
  };
}

/** In one pass, so that a value which looks like a placeholder stays what it is. */
function render(text: string, message: Message, alert: Alert): string {
  return text.replace(PLACEHOLDER, (_, name: string) => VALUES[name]?.(message, alert) ?? "");
}
