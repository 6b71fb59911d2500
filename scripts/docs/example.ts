// SPDX-License-Identifier: AGPL-3.0-or-later
import { configSchema } from "../../src/config/schema.ts";
import { inputSchema, type JsonSchema } from "../../src/util/validate.ts";
import { sentence } from "./markdown.ts";

const WIDTH = 110;

const HEAD = `# yaml-language-server: $schema=nam.schema.json
# Configuration of network-anomaly-monitor: every setting at its default, so that this file says no more than an empty one.
# Take what you want to change. docs/configuration.md says more.`;

const CHANNELS = `# docs/channels.md says of each what to create at the vendor.
# channels:
#   - type: slack
#     url_file: /etc/nam/slack.url
#   - type: discord
#     name: discord-oncall
#     url_env: DISCORD_WEBHOOK_URL
#     minimum_severity: critical
#   - type: teams
#     url_file: /etc/nam/teams.url
#   - type: telegram
#     bot_token_file: /etc/nam/telegram.token
#     chat_id: -1001234567890
#   - type: email
#     host: smtp.example.com
#     username: nam
#     password_file: /etc/nam/smtp.password
#     from: nam@example.com
#     to: [ops@example.com]
#   - type: pagerduty
#     routing_key_file: /etc/nam/pagerduty.key
#   - type: webhook
#     url_file: /etc/nam/webhook.url
#     signing_secret_file: /etc/nam/webhook.secret
#   - type: alertmanager
#     urls: ["http://alertmanager-0:9093", "http://alertmanager-1:9093"]
#   - type: syslog
#     host: syslog.example.com
#     content: cef
#   - type: otlp
#     url: https://collector.example.com:4318/v1/logs
#   - type: file
#     path: /var/log/nam/events.json
#     format: ecs
#   - type: stdout
#   - type: log
`;

/** The commented example: made from the schema, so it is complete and valid. */
export function exampleConfiguration(): string {
  const sections = Object.entries(inputSchema(configSchema).properties ?? {}).map(([key, schema]) =>
    lines(key, schema, ""),
  );
  return `${HEAD}\n\n${sections.join("\n")}`;
}

function lines(key: string, schema: JsonSchema, indent: string): string {
  const comment = wrap(sentence(schema.description ?? ""), indent);
  if (schema.properties) {
    const children = Object.entries(schema.properties).map(([name, child]) =>
      lines(name, child, `${indent}  `),
    );
    return `${comment}${indent}${key}:\n${children.join("")}`;
  }
  const fallback = schema.default;
  // A setting without a default is shown, not set.
  if (fallback === undefined || fallback === null) return `${comment}${indent}# ${key}:\n`;
  if (schema.items?.oneOf) return `${comment}${CHANNELS}${key}: ${JSON.stringify(fallback)}\n`;
  if (!Array.isArray(fallback) || fallback.length === 0) {
    return `${comment}${indent}${key}: ${JSON.stringify(fallback)}\n`;
  }
  const items = fallback.map((item) => `${indent}  - ${JSON.stringify(item)}\n`);
  return `${comment}${indent}${key}:\n${items.join("")}`;
}

function wrap(text: string, indent: string): string {
  let out = "";
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && indent.length + 2 + line.length + 1 + word.length > WIDTH) {
      out += `${indent}# ${line}\n`;
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return `${out}${indent}# ${line}\n`;
}
