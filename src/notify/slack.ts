// SPDX-License-Identifier: AGPL-3.0-or-later
import type { z } from "zod";
import type { Alert, ChannelDefinition, Delivery, Notifier } from "../alert/alert.ts";
import { systemClock } from "../util/clock.ts";
import { deliveryOf } from "./answer.ts";
import { postJson } from "./http.ts";
import { LEVELS, type Message, messageOf } from "./message.ts";
import type { Fact, Snippet } from "./parts.ts";
import type { Target, Vendor } from "./target.ts";
import { type Templates, templateSettings } from "./template.ts";
import { shorten } from "./text.ts";
import { targetOf, webhookSettings } from "./webhook.ts";

// https://docs.slack.dev/reference/block-kit/blocks/header-block
const HEADER_MAX = 150;
// https://docs.slack.dev/reference/block-kit/blocks/section-block: 3000 a text, 10 fields of 2000 (ours are numbers and
// dates). A message has at most 50 blocks (https://docs.slack.dev/reference/block-kit/blocks). Past about 13,200
// characters in all blocks Slack answers msg_blocks_too_long, which no document says: these limits stay below 10,000.
const LEAD_MAX = 1_200;
const LIST_MAX = 2_400;
const CODE_MAX = 500;
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

const settings = webhookSettings("slack", VENDOR, templateSettings);

export const slack = {
  type: "slack",
  help: "A Slack channel, through an incoming webhook",
  settings,
  // https://docs.slack.dev/apis/web-api/rate-limits: incoming webhooks, 1 a second, short bursts tolerated.
  rate: { perSecond: 1, burst: 1 },
  usesNetwork: true,
  create: (values, log) => new SlackNotifier(targetOf(values, VENDOR, log), values),
} satisfies ChannelDefinition<z.output<typeof settings>>;

class SlackNotifier implements Notifier {
  readonly #target: Target;
  readonly #templates: Templates;

  constructor(target: Target, templates: Templates) {
    this.#templates = templates;
    this.#target = target;
  }

  async send(alert: Alert, signal: AbortSignal): Promise<Delivery> {
    const result = await postJson(this.#target, slackPayload(alert, this.#templates), signal);
    return deliveryOf(result, {
      label: this.#target.label,
      nowMs: systemClock.now(),
      reason: ({ body }) => (REASONS.has(body.trim()) ? body.trim() : undefined),
    });
  }
}

/**
 * The body of the request: blocks, and the text that notifications show. Words that may come off the wire stand in
 * plain_text or in code only: in mrkdwn nothing keeps `:ab:` of a MAC address from becoming an emoji.
 */
export function slackPayload(alert: Alert, templates?: Templates): Record<string, unknown> {
  const message = messageOf(alert, templates);
  const { emoji } = LEVELS[message.level];
  return {
    text: shorten(`${emoji} ${message.title}: ${message.lead}`, FALLBACK_MAX, entities),
    blocks: blocksOf(message, emoji),
    unfurl_links: false,
    unfurl_media: false,
  };
}

type Block = Readonly<Record<string, unknown>>;

function blocksOf(message: Message, emoji: string): Block[] {
  const { title, lead, facts, evidence, others, snippets, notes, footer } = message;
  const heading = others.heading === "" ? [] : [`${others.heading}:`];
  return [
    { type: "header", text: plain(`${emoji} ${title}`, HEADER_MAX) },
    ...section(lead, LEAD_MAX),
    ...(facts.length > 0 ? [{ type: "section", fields: facts.map(fieldOf) }] : []),
    ...section(evidence.map(item).join("\n"), LIST_MAX),
    ...section([...heading, ...others.lines.map(item), others.more].join("\n"), LIST_MAX),
    ...(snippets.length > 0 ? [{ type: "section", text: mrkdwn(snippets.map(codeOf)) }] : []),
    { type: "context", elements: [plain([...notes, footer].join("\n"), CONTEXT_MAX)] },
  ];
}

function section(text: string, max: number): Block[] {
  return text === "" ? [] : [{ type: "section", text: plain(text, max) }];
}

function item(line: string): string {
  return `• ${line}`;
}

/** Text that is shown as it is. What mrkdwn would need entities for is replaced: here they might be shown as well. */
function plain(text: string, max: number): Block {
  const encode = (part: string): string =>
    part.replaceAll("&", "＆").replaceAll("<", "‹").replaceAll(">", "›");
  return { type: "plain_text", text: shorten(text, max, encode), emoji: false };
}

/** Formatted text, of our own words and code only. `verbatim` keeps Slack from making links out of plain words. */
function mrkdwn(lines: readonly string[]): Block {
  return { type: "mrkdwn", text: lines.join("\n"), verbatim: true };
}

function fieldOf(fact: Fact): Block {
  const value = "timeMs" in fact ? dateOf(fact.timeMs) : entities(fact.value);
  return mrkdwn([`*${fact.label}*`, value]);
}

/** A date that readers see in their own time zone: https://docs.slack.dev/messaging/formatting-message-text */
function dateOf(timeMs: number): string {
  const utc = `${new Date(timeMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return `<!date^${Math.floor(timeMs / 1_000)}^{date_short_pretty} {time_secs}|${utc}>`;
}

function codeOf({ label, code }: Snippet): string {
  return `*${label}* \`${shorten(code, CODE_MAX, entities)}\``;
}

/** The three characters Slack gives a meaning to; with them escaped, no mention or link can be written. */
function entities(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
