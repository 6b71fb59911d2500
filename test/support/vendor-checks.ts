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

const SLACK_TEXT_MAX = 10_000;
const DISCORD_EMBEDS_MAX = 6_000;
const FORBIDDEN = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/u;
const LONE_SURROGATE = /\p{Cs}/u;

/** What is wrong with a Slack payload: what Slack would refuse, or what should never be in one. */
export function slackViolations(payload: unknown): string[] {
  const texts = stringsIn(payload);
  const blocks = stringsIn((payload as { blocks?: unknown }).blocks).join("").length;
  return [
    ...schemaProblems(slackMessage, payload),
    ...(blocks > SLACK_TEXT_MAX ? [`blocks hold ${blocks} characters`] : []),
    ...texts.filter(hasLiveSlackMarkup).map((text) => `live markup: ${text.slice(0, 80)}`),
    ...unsafeTexts(texts),
  ];
}

/** What is wrong with a Discord payload. */
export function discordViolations(payload: unknown): string[] {
  const {
    embeds = [],
    content,
    allowed_mentions: mentions,
  } = payload as {
    embeds?: Record<string, unknown>[];
    content?: string;
    allowed_mentions?: { parse?: unknown[] };
  };
  const size = embeds.reduce((sum, embed) => sum + embedSize(embed), 0);
  const rings = /@everyone|@here|<@/.test(content ?? "") && mentions?.parse?.length !== 0;
  return [
    ...schemaProblems(discordMessage, payload),
    ...(size > DISCORD_EMBEDS_MAX ? [`embeds hold ${size} characters`] : []),
    ...(rings ? ["a mention in content would ring"] : []),
    ...stringsIn({ content, embeds: embeds.map(withoutFooter) })
      .filter(hasLiveDiscordMarkup)
      .map((text) => `live markup: ${text.slice(0, 80)}`),
    ...unsafeTexts(stringsIn(payload)),
  ];
}

/** `<!channel>`, `<@U…>`, `<#C…>`; links and dates that the sender wrote on purpose are no mentions. */
function hasLiveSlackMarkup(text: string): boolean {
  return /<(?:!(?!date\^\d+\^)|@|#)/.test(text);
}

/** Masked links, and mentions of people, roles and channels. */
function hasLiveDiscordMarkup(text: string): boolean {
  const outsideCode = text.replace(/`[^`\n]*`/g, "");
  return /(?<!\\)\]\(|(?<!\\)<(?:@|#|a?:)/.test(outsideCode);
}

/** A footer is shown as it is: it knows no markdown. */
function withoutFooter({ footer: _, ...embed }: Record<string, unknown>): Record<string, unknown> {
  return embed;
}

/** The parts that count towards Discord's limit of 6000. */
function embedSize(embed: Record<string, unknown>): number {
  const { title, description, fields, footer, author } = embed as Record<string, never>;
  return stringsIn([title, description, fields, footer, author]).join("").length;
}

function unsafeTexts(texts: readonly string[]): string[] {
  return texts.flatMap((text) => {
    const line = text.replaceAll("\n", "");
    if (FORBIDDEN.test(line))
      return [`control or direction character in: ${JSON.stringify(line.slice(0, 80))}`];
    return LONE_SURROGATE.test(line) ? ["an unpaired surrogate"] : [];
  });
}

function schemaProblems(schema: z.ZodType, payload: unknown): string[] {
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
