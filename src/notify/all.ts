// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ChannelDefinition, Notifier } from "../alert/alert.ts";
import { NamError } from "../util/errors.ts";
import type { Log } from "../util/log.ts";
import { z } from "../util/zod.ts";
import { alertmanager } from "./alertmanager.ts";
import { discord } from "./discord.ts";
import { email } from "./email.ts";
import { file } from "./file.ts";
import { log } from "./log.ts";
import { otlp } from "./otlp.ts";
import { pagerduty } from "./pagerduty.ts";
import { slack } from "./slack.ts";
import { standardWebhook } from "./standard-webhook.ts";
import { stdout } from "./stdout.ts";
import { syslog } from "./syslog.ts";
import { teams } from "./teams.ts";
import { telegram } from "./telegram.ts";

const definitions = [
  slack,
  discord,
  teams,
  telegram,
  email,
  pagerduty,
  standardWebhook,
  alertmanager,
  syslog,
  otlp,
  file,
  stdout,
  log,
] as const;

/** Every type of channel. Settings for `create` come from the definition's own schema only. */
export const channels: readonly ChannelDefinition[] = definitions.map(asDefinition);

type SettingsSchema = (typeof definitions)[number]["settings"];
type ChannelSettings = z.output<SettingsSchema>;

/** The `channels:` section of the configuration: a list, told apart by `type`. */
export const channelSettings = z
  .array(
    z.discriminatedUnion(
      "type",
      definitions.map(({ settings }) => settings) as [SettingsSchema, ...SettingsSchema[]],
    ),
  )
  .superRefine((list, context) => {
    for (const [index, { name }] of list.entries()) {
      if (list.findIndex((other) => other.name === name) === index) continue;
      context.addIssue({
        code: "custom",
        path: [index, "name"],
        message: `two channels are called ${name}; give one of them another name`,
      });
    }
  })
  .prefault([{ type: "log" }])
  .describe("Where anomalies are told. Default: the program's own log.");

/** A channel that is ready to send, with what the router must know of it. */
export interface Channel {
  readonly name: string;
  readonly definition: ChannelDefinition;
  readonly notifier: Notifier;
  readonly minimumSeverity: ChannelSettings["minimum_severity"];
  readonly sendResolved: boolean;
  /** Time between two signs of life; 0 where none is wanted. */
  readonly heartbeatMs: number;
}

/**
 * Makes the configured channels; in stealth mode only those that send nothing onto any network. Throws CHANNEL where a
 * secret is missing or will not do.
 */
export function createChannels(
  settings: readonly ChannelSettings[],
  options: { readonly log: Log; readonly stealth: boolean },
): Channel[] {
  loadClients(settings.map(({ type }) => type));
  return settings.flatMap((given) => {
    const definition = channels.find(({ type }) => type === given.type);
    if (!definition) throw new NamError("INTERNAL", `no channel of type ${given.type}`);
    if (options.stealth && definition.usesNetwork) return [];
    return [
      {
        name: given.name,
        definition,
        notifier: definition.create(given as never, options.log.child({ channel: given.name })),
        minimumSeverity: given.minimum_severity,
        sendResolved: given.send_resolved,
        heartbeatMs: given.heartbeat_minutes * 60_000,
      },
    ];
  });
}

/**
 * Clients are large, so that they are loaded only where there is something to send; but then at once, not with the first
 * alert: an upgrade may have replaced the files by then. What fails here fails again, and is told, when it is used.
 */
function loadClients(types: readonly string[]): void {
  if (types.some((type) => type !== "log")) import("node-fetch").catch(() => {});
  if (types.includes("email")) import("nodemailer").catch(() => {});
}

/** Hides what settings a definition takes: they were checked by its own schema, which the caller picked by type. */
function asDefinition(definition: unknown): ChannelDefinition {
  return definition as ChannelDefinition;
}
