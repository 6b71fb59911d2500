// SPDX-License-Identifier: AGPL-3.0-or-later

import { type Alert, type ChannelDefinition, routingSettings } from "../alert/alert.ts";
import { systemClock } from "../util/clock.ts";
import { NamError } from "../util/errors.ts";
import { z } from "../util/zod.ts";
import { deliveryOf, parseSeconds } from "./answer.ts";
import { postJson } from "./http.ts";
import { fieldOf } from "./json-body.ts";
import { LEVELS, type Message, messageOf } from "./message.ts";
import type { Fact, Snippet } from "./parts.ts";
import { needSecret, secretProblem, secretSettings } from "./secret-settings.ts";
import type { Vendor } from "./target.ts";
import { fixedTarget, reachSettings } from "./target-settings.ts";
import { type Templates, templateSettings } from "./template.ts";
import { shorten } from "./text.ts";

// https://core.telegram.org/bots/api#sendmessage: 4096 characters after entities are parsed. The limits below, which
// count the entities too, add up to less.
const TITLE_MAX = 260;
const LEAD_MAX = 800;
const LIST_MAX = 780;
const FACT_MAX = 60;
const CODE_MAX = 200;
const FOOTER_MAX = 260;

/** https://core.telegram.org/bots/api#authorizing-your-bot */
const TOKEN = /^\d{1,20}:[A-Za-z0-9_-]{10,100}$/;

const VENDOR: Vendor = {
  label: "Telegram",
  hosts: ["api.telegram.org"],
  path: /^\/bot[^/]+\/sendMessage$/,
  example: "https://api.telegram.org",
};

const settings = z
  .strictObject({
    ...routingSettings("telegram"),
    ...secretSettings("bot_token", "Token of the bot, as @BotFather gave it"),
    chat_id: z
      .union([z.int(), z.string().regex(/^(@[A-Za-z]\w{3,31}|-?\d{1,20})$/)])
      .describe("Chat the bot writes to: its number, or @name of a public channel."),
    message_thread_id: z
      .int()
      .min(1)
      .optional()
      .describe("Topic of the chat, where it is a forum."),
    api_url: z
      .url()
      .default("https://api.telegram.org")
      .describe("Bot API server; another one than Telegram's needs allow_private."),
    ...reachSettings(),
    ...templateSettings,
  })
  .superRefine((values, context) => {
    const problem = secretProblem(values, "bot_token", true);
    if (problem) context.addIssue({ code: "custom", path: ["bot_token"], message: problem });
  });

/** A Telegram chat, through a bot. */
export const telegram = {
  type: "telegram",
  help: "A Telegram chat, through a bot",
  settings,
  // https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: 20 a minute to one group.
  rate: { perSecond: 1 / 3, burst: 3 },
  usesNetwork: true,
  create(values, log) {
    const token = needSecret(values, "bot_token", log).reveal();
    if (!TOKEN.test(token)) {
      throw new NamError("CHANNEL", `channel ${values.name}: bot_token is not a token of a bot`);
    }
    const url = `${values.api_url.replace(/\/+$/, "")}/bot${token}/sendMessage`;
    const target = fixedTarget(values, url, VENDOR);
    const where = {
      chat_id: values.chat_id,
      ...(values.message_thread_id === undefined
        ? {}
        : { message_thread_id: values.message_thread_id }),
    };
    return {
      async send(alert, signal) {
        const body = { ...where, ...telegramPayload(alert, values) };
        return deliveryOf(await postJson(target, body, signal), {
          label: target.label,
          nowMs: systemClock.now(),
          waits: (answer) => [parseSeconds(fieldOf(answer.body, "parameters", "retry_after"))],
          reason: ({ body: said }) =>
            fieldOf(said, "parameters", "migrate_to_chat_id") === undefined
              ? undefined
              : "the group has a new chat_id",
        });
      },
    };
  },
} satisfies ChannelDefinition<z.output<typeof settings>>;

/** The message without the chat it goes to. */
export function telegramPayload(alert: Alert, templates?: Templates): Record<string, unknown> {
  const message = messageOf(alert, templates);
  return {
    text: textOf(message),
    parse_mode: "HTML",
    link_preview_options: { is_disabled: true },
    disable_notification: message.level === "info" || message.level === "resolved",
  };
}

function textOf(message: Message): string {
  const { title, lead, facts, evidence, others, snippets, notes, footer } = message;
  const parts = [
    `<b>${escaped(`${LEVELS[message.level].emoji} ${title}`, TITLE_MAX)}</b>`,
    escaped(lead, LEAD_MAX),
    facts.map(factOf).join("\n"),
    listOf(evidence),
    listOf(others.lines, others.heading),
    others.more,
    snippets.map(snippetOf).join("\n"),
    `<i>${escaped([...notes, footer].join(" · "), FOOTER_MAX)}</i>`,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function listOf(lines: readonly string[], heading?: string): string {
  const share = Math.floor(LIST_MAX / Math.max(1, lines.length)) - "• \n".length;
  const items = lines.map((line) => `• ${escaped(line, share)}`);
  if (items.length === 0) return "";
  return [...(heading ? [`<b>${heading}</b>`] : []), ...items].join("\n");
}

function factOf(fact: Fact): string {
  const value =
    "timeMs" in fact
      ? `${new Date(fact.timeMs).toISOString().slice(0, 19).replace("T", " ")} UTC`
      : escaped(fact.value, FACT_MAX);
  return `${fact.label}: ${value}`;
}

function snippetOf({ label, code }: Snippet): string {
  return `${label}: <code>${escaped(code, CODE_MAX)}</code>`;
}

/**
 * Text for https://core.telegram.org/bots/api#html-style. Telegram makes mentions, commands and tags of plain words
 * too; their signs are replaced by ones that look the same.
 */
function escaped(text: string, max: number): string {
  return shorten(text, max, (part) =>
    part
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll("@", "＠")
      .replace(/(^|\s)([/#$])(?=\p{L})/gu, (_, space: string, sign: string) => space + WIDE[sign]),
  );
}

const WIDE: Readonly<Record<string, string>> = { "/": "／", "#": "＃", $: "＄" };
