// SPDX-License-Identifier: AGPL-3.0-or-later
// What the documents of the vendors besides Slack and Discord say a message may be, and how their servers answer.
import { z } from "zod";
import { FORBIDDEN, schemaProblems, stringsIn } from "./vendor-checks.ts";

export interface VendorCheck {
  readonly path: RegExp;
  /** Why the vendor refuses it. */
  violations(body: unknown, bytes: number): string[];
  /** What should not be in it although the vendor takes it. */
  hazards(body: unknown): string[];
  readonly accepted: { readonly status: number; readonly body: string };
}

// https://adaptivecards.io/explorer/: the elements that are used, each with all it may have.
const run = z.strictObject({
  type: z.literal("TextRun"),
  text: z.string().min(1),
  size: z.enum(["default", "small", "medium", "large", "extraLarge"]).optional(),
  weight: z.enum(["lighter", "default", "bolder"]).optional(),
  color: z.enum(["default", "dark", "light", "accent", "good", "warning", "attention"]).optional(),
  isSubtle: z.boolean().optional(),
  fontType: z.enum(["default", "monospace"]).optional(),
});
const cardElement = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("RichTextBlock"), inlines: z.array(run).min(1) }),
  z.strictObject({
    type: z.literal("FactSet"),
    facts: z.array(z.strictObject({ title: z.string().min(1), value: z.string().min(1) })).min(1),
  }),
]);
const teamsMessage = z.strictObject({
  type: z.literal("message"),
  attachments: z
    .array(
      z.strictObject({
        contentType: z.literal("application/vnd.microsoft.card.adaptive"),
        contentUrl: z.null(),
        content: z.strictObject({
          $schema: z.url(),
          type: z.literal("AdaptiveCard"),
          version: z.enum(["1.0", "1.1", "1.2", "1.3", "1.4"]),
          fallbackText: z.string().optional(),
          msteams: z.strictObject({ width: z.literal("Full") }).optional(),
          body: z.array(cardElement).min(1),
        }),
      }),
    )
    .length(1),
});
const TEAMS_MAX_BYTES = 28_672;

// https://core.telegram.org/bots/api#sendmessage
const telegramMessage = z.strictObject({
  chat_id: z.union([z.int(), z.string().min(1)]),
  message_thread_id: z.int().optional(),
  text: z.string().min(1),
  parse_mode: z.literal("HTML"),
  link_preview_options: z.strictObject({ is_disabled: z.boolean() }),
  disable_notification: z.boolean(),
});
const TELEGRAM_MAX = 4_096;

// https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
const routing = { routing_key: z.string().length(32), dedup_key: z.string().min(1).max(255) };
const pagerdutyEvent = z.discriminatedUnion("event_action", [
  z.strictObject({ event_action: z.enum(["resolve", "acknowledge"]), ...routing }),
  z.strictObject({
    event_action: z.literal("trigger"),
    ...routing,
    client: z.string().optional(),
    client_url: z.string().optional(),
    payload: z.strictObject({
      summary: z.string().min(1).max(1_024),
      source: z.string().min(1),
      severity: z.enum(["critical", "warning", "error", "info"]),
      timestamp: z.iso.datetime().optional(),
      component: z.string().optional(),
      group: z.string().optional(),
      class: z.string().optional(),
      custom_details: z.looseObject({}).optional(),
    }),
  }),
]);
const PAGERDUTY_MAX_BYTES = 524_288;

// https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml, and that nothing ends before it starts.
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const alertmanagerAlerts = z.array(
  z
    .strictObject({
      labels: z
        .record(z.string().regex(labelName), z.string().min(1))
        .refine((labels) => Object.keys(labels).length > 0),
      annotations: z.record(z.string().regex(labelName), z.string()),
      startsAt: z.iso.datetime(),
      endsAt: z.iso.datetime(),
      generatorURL: z.string().optional(),
    })
    .refine(({ startsAt, endsAt }) => Date.parse(endsAt) >= Date.parse(startsAt), "ends first"),
);

// https://github.com/open-telemetry/opentelemetry-proto, logs/v1 and common/v1, in the JSON form of
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: lowerCamelCase, 64-bit integers as strings.
const anyValue = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
  z.strictObject({ doubleValue: z.number() }),
]);
const attributes = z.array(z.strictObject({ key: z.string().min(1), value: anyValue }));
const fixed64 = z.string().regex(/^\d{1,20}$/);
const otlpLogs = z.strictObject({
  resourceLogs: z
    .array(
      z.strictObject({
        resource: z.strictObject({ attributes }),
        scopeLogs: z
          .array(
            z.strictObject({
              scope: z.strictObject({ name: z.string(), version: z.string() }),
              logRecords: z
                .array(
                  z.strictObject({
                    timeUnixNano: fixed64,
                    observedTimeUnixNano: fixed64,
                    severityNumber: z.int().min(1).max(24),
                    severityText: z.string(),
                    eventName: z.string(),
                    body: anyValue,
                    attributes,
                  }),
                )
                .min(1),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
});

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#payload-structure */
const webhookMessage = z.strictObject({
  type: z.string().regex(/^[a-z]+(\.[a-z]+)+$/),
  timestamp: z.iso.datetime(),
  data: z.looseObject({}),
});
const WEBHOOK_MAX_BYTES = 20_000;

function forbidden(body: unknown): string[] {
  return stringsIn(body)
    .filter((text) => FORBIDDEN.test(text.replaceAll("\n", "")))
    .map((text) => `forbidden character: ${JSON.stringify(text.slice(0, 80))}`);
}

function tooLarge(bytes: number, max: number): string[] {
  return bytes > max ? [`${bytes} bytes`] : [];
}

/** What Telegram's HTML parser would not take: any tag but those, any entity but those. */
function telegramProblems(body: unknown): string[] {
  const { text = "" } = body as { text?: string };
  const bare = text.replace(/<\/?(?:b|i|code)>/g, "").replace(/&(?:lt|gt|amp|quot);/g, "x");
  return [
    ...(text.length > TELEGRAM_MAX ? [`${text.length} characters`] : []),
    ...(/[<>&]/.test(bare) ? ["markup that is not known"] : []),
  ];
}

export const vendorSchemas: Readonly<Record<string, VendorCheck>> = {
  teams: {
    path: /^\/workflows\/[0-9a-f]+\/triggers\/manual\/paths\/invoke$/,
    violations: (body, bytes) => [
      ...schemaProblems(teamsMessage, body),
      ...tooLarge(bytes, TEAMS_MAX_BYTES),
    ],
    hazards: (body) => [
      ...forbidden(body),
      ...(stringsIn(body).some((text) => /<at>|\{\{/.test(text)) ? ["live markup"] : []),
    ],
    accepted: { status: 202, body: "" },
  },
  telegram: {
    path: /^\/bot\d+:[\w-]+\/sendMessage$/,
    violations: (body) => [...schemaProblems(telegramMessage, body), ...telegramProblems(body)],
    hazards: (body) => [
      ...forbidden(body),
      ...(/@/.test((body as { text: string }).text.replace(/<code>.*?<\/code>/gs, ""))
        ? ["a mention"]
        : []),
    ],
    accepted: { status: 200, body: '{"ok":true,"result":{"message_id":1}}' },
  },
  pagerduty: {
    path: /^\/v2\/enqueue$/,
    violations: (body, bytes) => [
      ...schemaProblems(pagerdutyEvent, body),
      ...tooLarge(bytes, PAGERDUTY_MAX_BYTES),
    ],
    hazards: forbidden,
    accepted: { status: 202, body: '{"status":"success","message":"Event processed"}' },
  },
  alertmanager: {
    path: /^\/api\/v2\/alerts$/,
    violations: (body) => schemaProblems(alertmanagerAlerts, body),
    hazards: forbidden,
    accepted: { status: 200, body: "" },
  },
  otlp: {
    path: /^\/v1\/logs$/,
    violations: (body) => schemaProblems(otlpLogs, body),
    hazards: forbidden,
    accepted: { status: 200, body: "{}" },
  },
  webhook: {
    path: /^\/hooks\/\w+$/,
    violations: (body, bytes) => [
      ...schemaProblems(webhookMessage, body),
      ...tooLarge(bytes, WEBHOOK_MAX_BYTES),
    ],
    hazards: forbidden,
    accepted: { status: 200, body: "" },
  },
};
