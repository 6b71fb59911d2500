// SPDX-License-Identifier: AGPL-3.0-or-later
import type { z } from "zod";
import type { Alert, ChannelDefinition } from "../alert/alert.ts";
import { systemClock } from "../util/clock.ts";
import { deliveryOf } from "./answer.ts";
import { postJson } from "./http.ts";
import { LEVELS, type Message, messageOf } from "./message.ts";
import type { Fact } from "./parts.ts";
import type { Vendor } from "./target.ts";
import { type Templates, templateSettings } from "./template.ts";
import { shorten } from "./text.ts";
import { targetOf, webhookSettings } from "./webhook.ts";

// https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook: a
// message has at most 28 KB. The limits below come to 6,000 UTF-16 units, at most 18 KB of UTF-8.
const TITLE_MAX = 200;
const LEAD_MAX = 900;
const LIST_MAX = 1_500;
const FACT_MAX = 60;
const CODE_MAX = 280;
const FOOTER_MAX = 500;

const VENDOR: Vendor = {
  label: "Microsoft Teams",
  hosts: [],
  // https://learn.microsoft.com/en-us/power-automate/ip-address-configuration: both forms are handed out.
  suffixes: [".logic.azure.com", ".api.powerplatform.com"],
  path: /\/workflows\/[0-9a-fA-F-]+\/triggers\/[\w-]+\/paths\/invoke$/,
  example: "https://….logic.azure.com/workflows/…/triggers/manual/paths/invoke?…",
};

/** Colours a text can have: https://adaptivecards.io/explorer/TextRun.html */
const COLOURS = {
  critical: "attention",
  warning: "warning",
  info: "accent",
  resolved: "good",
  test: "default",
} as const;

const settings = webhookSettings("teams", VENDOR, templateSettings);

/** A Microsoft Teams channel or chat, through a workflow that takes webhook requests. */
export const teams = {
  type: "teams",
  help: "A Microsoft Teams channel or chat, through a workflow's webhook",
  settings,
  // https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using: 4 a second.
  rate: { perSecond: 1, burst: 4 },
  usesNetwork: true,
  create(values, log) {
    const target = targetOf(values, VENDOR, log);
    return {
      async send(alert, signal) {
        const result = await postJson(target, teamsPayload(alert, values), signal);
        return deliveryOf(result, { label: target.label, nowMs: systemClock.now() });
      },
    };
  },
} satisfies ChannelDefinition<z.output<typeof settings>>;

type Element = Readonly<Record<string, unknown>>;

/** The body of the request: one Adaptive Card. Words that may come off the wire stand in TextRuns, which know no markdown. */
export function teamsPayload(alert: Alert, templates?: Templates): Record<string, unknown> {
  const message = messageOf(alert, templates);
  return {
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          fallbackText: words(message.title, TITLE_MAX),
          msteams: { width: "Full" },
          body: bodyOf(message),
        },
      },
    ],
  };
}

function bodyOf(message: Message): Element[] {
  const { level, title, lead, facts, evidence, others, snippets, notes, footer } = message;
  const { emoji } = LEVELS[level];
  const heading = { size: "large", weight: "bolder", color: COLOURS[level] };
  return [
    paragraph(`${emoji} ${title}`, TITLE_MAX, heading),
    paragraph(lead, LEAD_MAX),
    ...(facts.length > 0 ? [{ type: "FactSet", facts: facts.map(factOf) }] : []),
    ...list(evidence),
    ...list(others.lines, others.heading),
    ...(others.more === "" ? [] : [paragraph(others.more, FACT_MAX)]),
    ...snippets.flatMap(({ label, code }) => [
      paragraph(label, FACT_MAX, { weight: "bolder", size: "small" }),
      paragraph(code, CODE_MAX, { fontType: "monospace" }),
    ]),
    paragraph([...notes, footer].join(" · "), FOOTER_MAX, { size: "small", isSubtle: true }),
  ];
}

function paragraph(text: string, max: number, style: Element = {}): Element {
  return {
    type: "RichTextBlock",
    inlines: [{ type: "TextRun", text: words(text, max), ...style }],
  };
}

function list(lines: readonly string[], heading?: string): Element[] {
  const share = Math.floor(LIST_MAX / Math.max(1, lines.length));
  const items = lines.map((line) => paragraph(`• ${line}`, share));
  if (items.length === 0 || heading === undefined) return items;
  return [paragraph(heading, FACT_MAX, { weight: "bolder" }), ...items];
}

function factOf(fact: Fact): Element {
  const value = "timeMs" in fact ? utc(fact.timeMs) : fact.value;
  return { title: words(fact.label, FACT_MAX), value: words(value, FACT_MAX) };
}

function utc(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Text that is no function either: https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features */
function words(text: string, max: number): string {
  return shorten(text === "" ? "–" : text, max, (part) =>
    part
      .replace(/\{(?=\{)/g, "{ ")
      .replaceAll("<", "‹")
      .replaceAll(">", "›"),
  );
}
