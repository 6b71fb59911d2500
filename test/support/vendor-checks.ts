// SPDX-License-Identifier: AGPL-3.0-or-later
// What the vendors' documents say a message may be, written down independently of the code that makes messages.
import { z } from "zod";

// https://docs.slack.dev/reference/block-kit/composition-objects/text-object
const slackText = (max: number) =>
  z.discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("plain_text"),
      text: z.string().min(1).max(max),
      emoji: z.boolean().optional(),
    }),
    z.strictObject({
      type: z.literal("mrkdwn"),
      text: z.string().min(1).max(max),
      verbatim: z.boolean().optional(),
    }),
  ]);
const blockId = { block_id: z.string().max(255).optional() };

// https://docs.slack.dev/reference/block-kit/blocks
const slackBlock = z.discriminatedUnion("type", [
  z.strictObject({
    ...blockId,
    type: z.literal("header"),
    text: z.strictObject({
      type: z.literal("plain_text"),
      text: z.string().min(1).max(150),
      emoji: z.boolean().optional(),
    }),
  }),
  z
    .strictObject({
      ...blockId,
      type: z.literal("section"),
      text: slackText(3_000).optional(),
      fields: z.array(slackText(2_000)).min(1).max(10).optional(),
      expand: z.boolean().optional(),
    })
    .refine(({ text, fields }) => text !== undefined || fields !== undefined, "text or fields"),
  z.strictObject({
    ...blockId,
    type: z.literal("context"),
    elements: z.array(slackText(3_000)).min(1).max(10),
  }),
  z.strictObject({ ...blockId, type: z.literal("divider") }),
]);

/** https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks; attachments as Alertmanager sends them. */
const slackMessage = z
  .looseObject({
    text: z.string().max(40_000).optional(),
    blocks: z.array(slackBlock).max(50).optional(),
    attachments: z.array(z.looseObject({})).max(100).optional(),
    unfurl_links: z.boolean().optional(),
    unfurl_media: z.boolean().optional(),
  })
  .refine(({ text, blocks, attachments }) => text || blocks || attachments, "no_text");

const https = z.url({ protocol: /^https?$/ });

// https://discord.com/developers/docs/resources/message#embed-object
const discordEmbed = z.strictObject({
  title: z.string().max(256).optional(),
  type: z.literal("rich").optional(),
  description: z.string().max(4_096).optional(),
  url: https.or(z.literal("")).optional(),
  timestamp: z.iso.datetime({ offset: true }).optional(),
  color: z.int().min(0).max(0xff_ff_ff).optional(),
  footer: z.strictObject({ text: z.string().max(2_048), icon_url: https.optional() }).optional(),
  author: z.looseObject({ name: z.string().max(256) }).optional(),
  fields: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(256),
        value: z.string().min(1).max(1_024),
        inline: z.boolean().optional(),
      }),
    )
    .max(25)
    .optional(),
});

/** https://discord.com/developers/docs/resources/webhook#execute-webhook */
const discordMessage = z
  .strictObject({
    content: z.string().max(2_000).optional(),
    username: z.string().max(80).optional(),
    avatar_url: z.string().optional(),
    tts: z.boolean().optional(),
    embeds: z.array(discordEmbed).max(10).optional(),
    allowed_mentions: z
      .strictObject({ parse: z.array(z.enum(["roles", "users", "everyone"])) })
      .optional(),
    flags: z.int().optional(),
  })
  .refine(({ content, embeds }) => content || (embeds && embeds.length > 0), "empty message");

/** What the field reports as Slack's own limit; see docs/decisions/005-alert-delivery.md. */
const SLACK_BLOCKS_MAX = 13_200;
/** What this project allows itself. */
const SLACK_BUDGET = 10_000;
const DISCORD_EMBEDS_MAX = 6_000;
/** Characters that no message of this project may hold: control, direction and zero-width ones. */
export const FORBIDDEN =
  /[\p{Cc}\p{Cs}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/u;
/** `:ab:` in a MAC address or `:100:` in an IPv6 address is an emoji to both vendors. */
const EMOJI = /(?<!\\):[\w+'-]+:/;

/** Why Slack would refuse this payload. */
export function slackViolations(payload: unknown): string[] {
  const size = blocksSize(payload);
  return [
    ...schemaProblems(slackMessage, payload),
    ...(size > SLACK_BLOCKS_MAX ? [`blocks hold ${size} characters`] : []),
  ];
}

/** Why Discord would refuse this payload. */
export function discordViolations(payload: unknown): string[] {
  const size = embedsOf(payload).reduce((sum, embed) => sum + embedSize(embed), 0);
  return [
    ...schemaProblems(discordMessage, payload),
    ...(size > DISCORD_EMBEDS_MAX ? [`embeds hold ${size} characters`] : []),
  ];
}

/** What Slack would accept in a message of ours, and should never be in one. */
export function slackHazards(payload: unknown): string[] {
  const { text, blocks } = payload as { text?: unknown; blocks?: unknown };
  const size = blocksSize(payload);
  const marked = objectsIn(blocks).filter(({ type }) => type === "mrkdwn");
  const plain = objectsIn(blocks).filter(({ type }) => type === "plain_text");
  const shown = stringsIn(marked.map((object) => object.text)).map((part) =>
    part.replace(/`[^`\n]*`|<!date\^[^>]*>/g, ""),
  );
  return [
    ...(size > SLACK_BUDGET ? [`blocks hold ${size} characters`] : []),
    ...hazards(
      "live markup",
      [...stringsIn(text), ...stringsIn(blocks)],
      /<(?:!(?!date\^\d+\^)|@|#)/,
    ),
    ...hazards("formatting", shown, EMOJI),
    ...(marked.every(({ verbatim }) => verbatim === true) ? [] : ["mrkdwn that is not verbatim"]),
    ...(plain.every(({ emoji }) => emoji === false) ? [] : ["plain_text that makes emoji"]),
    ...hazards("forbidden character", linesIn(payload), FORBIDDEN),
  ];
}

/** What Discord would accept in a message of ours, and should never be in one. */
export function discordHazards(payload: unknown): string[] {
  const { allowed_mentions: mentions } = payload as { allowed_mentions?: { parse?: unknown[] } };
  const shown = stringsIn(embedsOf(payload).map(formatted)).map((text) =>
    text.replace(/`[^`\n]*`|<t:\d+:f>/g, ""),
  );
  return [
    ...(mentions?.parse?.length === 0 ? [] : ["mentions could ring"]),
    ...hazards("masked link", shown, /(?<!\\)\]\(/),
    ...hazards("live markup", shown, /(?<!\\)<(?:@|#|a?:)/),
    ...hazards("emoji", shown, EMOJI),
    ...hazards("forbidden character", linesIn(payload), FORBIDDEN),
  ];
}

function hazards(name: string, texts: readonly string[], pattern: RegExp): string[] {
  return texts
    .filter((text) => pattern.test(text))
    .map((text) => `${name}: ${JSON.stringify(text.slice(0, 80))}`);
}

function blocksSize(payload: unknown): number {
  const { blocks } = payload as { blocks?: unknown };
  return stringsIn(objectsIn(blocks).map(({ text }) => text)).join("").length;
}

function embedsOf(payload: unknown): Record<string, unknown>[] {
  return (payload as { embeds?: Record<string, unknown>[] }).embeds ?? [];
}

/** Our own line breaks are none of an attacker's. */
function linesIn(payload: unknown): string[] {
  return stringsIn(payload).map((text) => text.replaceAll("\n", ""));
}

/** The parts in which markdown is obeyed. */
function formatted(embed: Record<string, unknown>): Record<string, unknown> {
  const { footer: _, timestamp: __, ...rest } = embed;
  return rest;
}

/** The parts that count towards Discord's limit of 6000. */
function embedSize(embed: Record<string, unknown>): number {
  const { title, description, fields, footer, author } = embed as Record<string, never>;
  return stringsIn([title, description, fields, footer, author]).join("").length;
}

/** Where a payload breaks a schema. */
export function schemaProblems(schema: z.ZodType, payload: unknown): string[] {
  const result = schema.safeParse(payload);
  if (result.success) return [];
  return result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

/** Every string value in a JSON value. */
export function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}

/** Every object in a JSON value, itself included. */
function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== "object" || value === null) return [];
  const own = Array.isArray(value) ? [] : [value as Record<string, unknown>];
  return [...own, ...Object.values(value).flatMap(objectsIn)];
}
