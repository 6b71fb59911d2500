// SPDX-License-Identifier: AGPL-3.0-or-later
import type { z } from "zod";
import type { Alert, ChannelDefinition, Delivery, Notifier } from "../alert/alert.ts";
import { systemClock } from "../util/clock.ts";
import { deliveryOf } from "./answer.ts";
import { postJson } from "./http.ts";
import { type Fact, LEVELS, type Message, messageOf } from "./message.ts";
import type { Target, Vendor } from "./target.ts";
import { shorten } from "./text.ts";
import { targetOf, webhookSettings } from "./webhook.ts";

// https://docs.slack.dev/reference/block-kit/blocks/header-block
const HEADER_MAX = 150;
// https://docs.slack.dev/reference/block-kit/blocks/section-block: 3000 a text, 10 fields of 2000. A message has at
// most 50 blocks (https://docs.slack.dev/reference/block-kit/blocks). Past about 13,200 characters in all blocks Slack
// answers msg_blocks_too_long, which no document says; the limits below add up to less than 10,000.
const LEAD_MAX = 1_200;
const LIST_MAX = 2_200;
const SNIPPETS_MAX = 1_800;
const FIELD_MAX = 300;
// https://docs.slack.dev/reference/block-kit/blocks/context-block: 10 elements.
const CONTEXT_MAX = 600;
/** The text of notifications, where blocks are not shown. */
const FALLBACK_MAX = 600;

const VENDOR: Vendor = {
  label: "Slack",
  hosts: ["hooks.slack.com", "hooks.slack-gov.com"],
  path: /^\/services\/[A-Za-z0-9]+\/[A-Za-z0-9]+\/[A-Za-z0-9]+$/,
  example: "https://hooks.slack.com/services/T…/B…/…",
};

/** https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks and what is seen in the field. */
const REASONS = new Set([
  "action_prohibited",
  "channel_is_archived",
  "channel_not_found",
  "invalid_blocks",
  "invalid_payload",
  "invalid_token",
  "msg_blocks_too_long",
  "no_active_hooks",
  "no_service",
  "no_service_id",
  "no_team",
  "no_text",
  "rate_limited",
  "rollup_error",
  "team_disabled",
  "too_many_attachments",
  "user_not_found",
]);

const settings = webhookSettings("slack", VENDOR);

export const slack = {
  type: "slack",
  help: "A Slack channel, through an incoming webhook",
  settings,
  // https://docs.slack.dev/apis/web-api/rate-limits: incoming webhooks, 1 a second, short bursts tolerated.
  rate: { perSecond: 1, burst: 1 },
  usesNetwork: true,
  create: (values, log) => new SlackNotifier(targetOf(values, VENDOR, log)),
} satisfies ChannelDefinition<z.output<typeof settings>>;

class SlackNotifier implements Notifier {
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  async send(alert: Alert, signal: AbortSignal): Promise<Delivery> {
    const result = await postJson(this.#target, slackPayload(alert), signal);
    return deliveryOf(result, {
      label: this.#target.label,
      nowMs: systemClock.now(),
      reason: ({ body }) => (REASONS.has(body.trim()) ? body.trim() : undefined),
    });
  }
}

/** The body of the request: blocks, and the plain text that notifications show. */
export function slackPayload(alert: Alert): Record<string, unknown> {
  const message = messageOf(alert);
  const { emoji } = LEVELS[message.level];
  return {
    text: mrkdwn(`${emoji} ${message.title}: ${message.lead}`, FALLBACK_MAX),
    blocks: blocksOf(message, emoji),
    unfurl_links: false,
    unfurl_media: false,
  };
}

type Block = Readonly<Record<string, unknown>>;

function blocksOf(message: Message, emoji: string): Block[] {
  const { title, lead, facts, evidence, others, snippets, notes, footer } = message;
  const header = shorten(`${emoji} ${title}`, HEADER_MAX, plain);
  const context = [...notes, footer].join("\n");
  return [
    { type: "header", text: { type: "plain_text", text: header, emoji: true } },
    ...section(mrkdwn(lead, LEAD_MAX)),
    ...(facts.length > 0 ? [{ type: "section", fields: facts.map(fieldOf) }] : []),
    ...section(listOf(evidence)),
    ...section([listOf(others.lines, others.heading), others.more].join("\n").trim()),
    ...section(snippets.map(({ label, code }) => snippetOf(label, code)).join("\n")),
    { type: "context", elements: [markdown(mrkdwn(context, CONTEXT_MAX))] },
  ];
}

function section(text: string): Block[] {
  return text === "" ? [] : [{ type: "section", text: markdown(text) }];
}

/** `verbatim` keeps Slack from making links, channels and people out of plain words. */
function markdown(text: string): Block {
  return { type: "mrkdwn", text, verbatim: true };
}

function fieldOf(fact: Fact): Block {
  const value = "timeMs" in fact ? dateOf(fact.timeMs) : mrkdwn(fact.value, FIELD_MAX);
  return markdown(`*${fact.label}*\n${value}`);
}

/** A date that readers see in their own time zone: https://docs.slack.dev/messaging/formatting-message-text */
function dateOf(timeMs: number): string {
  const utc = `${new Date(timeMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return `<!date^${Math.floor(timeMs / 1_000)}^{date_short_pretty} {time_secs}|${utc}>`;
}

function listOf(lines: readonly string[], heading?: string): string {
  if (lines.length === 0) return "";
  const share = Math.floor(LIST_MAX / lines.length) - "• \n".length;
  const items = lines.map((line) => `• ${mrkdwn(line, share)}`);
  return [...(heading ? [`*${heading}*`] : []), ...items].join("\n");
}

function snippetOf(label: string, code: string): string {
  return `*${label}* \`${shorten(code, SNIPPETS_MAX / 3 - label.length - 6, entities)}\``;
}

/** Text for mrkdwn, escaped, at most `max` characters after that. */
function mrkdwn(text: string, max: number): string {
  return shorten(text, max, (part) => entities(unformatted(part)));
}

/** The three characters Slack gives a meaning to; with them escaped, no mention or link can be written. */
function entities(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** mrkdwn has no escape for its own marks. At the edge of a word, where they would format, look-alikes take their place. */
function unformatted(text: string): string {
  return text
    .replaceAll("`", "ˋ")
    .replace(/(?<![\p{L}\p{N}])[*_~]|[*_~](?![\p{L}\p{N}])/gu, (mark) => LOOK_ALIKES[mark] ?? mark);
}

const LOOK_ALIKES: Readonly<Record<string, string>> = { "*": "∗", _: "＿", "~": "∼" };

/** For plain_text, where entities may be shown as they are: nothing that needs one. */
function plain(text: string): string {
  return text.replaceAll("&", "＆").replaceAll("<", "‹").replaceAll(">", "›");
}
