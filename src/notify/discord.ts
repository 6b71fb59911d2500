// SPDX-License-Identifier: AGPL-3.0-or-later
import type { z } from "zod";
import type { Alert, ChannelDefinition, Delivery, Notifier } from "../alert/alert.ts";
import { systemClock } from "../util/clock.ts";
import { Secret } from "../util/secret.ts";
import { type AnswerReading, deliveryOf, parseSeconds } from "./answer.ts";
import { postJson } from "./http.ts";
import { fieldOf } from "./json-body.ts";
import { LEVELS, type Message, messageOf } from "./message.ts";
import type { Fact, Snippet } from "./parts.ts";
import type { Target, Vendor } from "./target.ts";
import { type Templates, templateSettings } from "./template.ts";
import { shorten } from "./text.ts";
import { targetOf, webhookSettings } from "./webhook.ts";

// https://discord.com/developers/docs/resources/message#embed-object-embed-limits: title 256, description 4096, 25
// fields with a name of 256 and a value of 1024, footer 2048, and 6000 in all embeds together. The limits below add up
// to less than that: 256 + 3500 + 5·90 + 3·310 + 500.
const TITLE_MAX = 256;
const LEAD_MAX = 900;
const LIST_MAX = 1_250;
const LABEL_MAX = 30;
const FACT_MAX = 60;
const CODE_MAX = 278;
const FOOTER_MAX = 500;

const VENDOR: Vendor = {
  label: "Discord",
  hosts: ["discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"],
  path: /^\/api(?:\/v\d{1,2})?\/webhooks\/\d+\/[A-Za-z0-9_-]+$/,
  example: "https://discord.com/api/webhooks/…/…",
};

const settings = webhookSettings("discord", VENDOR, templateSettings);

export const discord = {
  type: "discord",
  help: "A Discord channel, through a webhook",
  settings,
  // https://discord.com/developers/docs/topics/rate-limits: not to be hard-coded, the headers are obeyed as well;
  // 5 in 2 s is what webhooks are commonly given.
  rate: { perSecond: 2.5, burst: 5 },
  usesNetwork: true,
  create: (values, log) => new DiscordNotifier(targetOf(values, VENDOR, log), values),
} satisfies ChannelDefinition<z.output<typeof settings>>;

class DiscordNotifier implements Notifier {
  readonly #target: Target;
  readonly #templates: Templates;
  readonly #reading: Omit<AnswerReading, "nowMs">;

  constructor(target: Target, templates: Templates) {
    this.#templates = templates;
    // Without `wait` Discord answers before it has stored the message, and says nothing if that fails:
    // https://discord.com/developers/docs/resources/webhook#execute-webhook
    const url = new URL(target.url.reveal());
    url.searchParams.set("wait", "true");
    this.#target = { ...target, url: new Secret(url.href) };
    this.#reading = {
      label: target.label,
      reason: ({ body }) => errorCode(body),
      waits: ({ body, header }) => [
        parseSeconds(fieldOf(body, "retry_after")),
        parseSeconds(header("x-ratelimit-reset-after")),
      ],
      pauseMs: ({ header }) =>
        header("x-ratelimit-remaining") === "0"
          ? parseSeconds(header("x-ratelimit-reset-after"))
          : undefined,
    };
  }

  async send(alert: Alert, signal: AbortSignal): Promise<Delivery> {
    const result = await postJson(this.#target, discordPayload(alert, this.#templates), signal);
    return deliveryOf(result, { ...this.#reading, nowMs: systemClock.now() });
  }
}

/** https://discord.com/developers/docs/topics/opcodes-and-status-codes#json: only the number, the text may echo. */
function errorCode(body: string): string | undefined {
  const code = fieldOf(body, "code");
  return typeof code === "number" && Number.isInteger(code) ? `code ${code}` : undefined;
}

/** The body of the request: one embed, and no mention that could ever ring. */
export function discordPayload(alert: Alert, templates?: Templates): Record<string, unknown> {
  const message = messageOf(alert, templates);
  return {
    embeds: [embedOf(message, alert.createdMs)],
    allowed_mentions: { parse: [] },
  };
}

function embedOf(message: Message, createdMs: number): Record<string, unknown> {
  const { emoji, colour } = LEVELS[message.level];
  const { title, lead, facts, evidence, others, snippets, notes, footer } = message;
  const parts = [
    escaped(lead, LEAD_MAX),
    listOf(evidence),
    listOf(others.lines, others.heading),
    others.more,
  ];
  return {
    title: escaped(`${emoji} ${title}`, TITLE_MAX),
    description: parts.filter((part) => part !== "").join("\n\n"),
    color: colour,
    fields: [...facts.map(factField), ...snippets.map(snippetField)],
    // The footer knows no markdown, so it is not escaped.
    footer: { text: shorten([...notes, footer].join("\n"), FOOTER_MAX) },
    timestamp: new Date(createdMs).toISOString(),
  };
}

function listOf(lines: readonly string[], heading?: string): string {
  if (lines.length === 0) return "";
  const share = Math.floor(LIST_MAX / lines.length) - "- \n".length;
  const items = lines.map((line) => `- ${escaped(line, share)}`);
  return [...(heading ? [`**${heading}**`] : []), ...items].join("\n");
}

/** A time is shown in the reader's time zone: https://discord.com/developers/docs/reference#message-formatting */
function factField(fact: Fact): Record<string, unknown> {
  const value =
    "timeMs" in fact ? `<t:${Math.floor(fact.timeMs / 1_000)}:f>` : escaped(fact.value, FACT_MAX);
  return { name: shorten(fact.label, LABEL_MAX), value, inline: true };
}

function snippetField({ label, code }: Snippet): Record<string, unknown> {
  return {
    name: shorten(label, LABEL_MAX),
    value: `\`${shorten(code, CODE_MAX)}\``,
    inline: false,
  };
}

/**
 * Text for markdown: what could format, link, mention or become an emoji (`:ab:` of a MAC address) is escaped; at most
 * `max` after that.
 */
function escaped(text: string, max: number): string {
  const marks = /[\\`*_~|<>]|\](?=\()|:(?=[^\s:]+:)|^[#-]/gu;
  return shorten(text, max, (part) => part.replace(marks, "\\$&"));
}
