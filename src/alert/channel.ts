// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Severity } from "../detect/detector.ts";
import type { ChannelDefinition, Notifier } from "./alert.ts";
import type { BacklogRules } from "./backlog.ts";
import type { Gate } from "./gate.ts";
import type { AlertSettings } from "./settings.ts";

/** One configured channel, as the composition root hands it over. */
export interface AlertChannel {
  readonly name: string;
  readonly definition: Pick<ChannelDefinition, "type" | "rate" | "everyEvent">;
  readonly notifier: Notifier;
  readonly minimumSeverity: Severity;
  readonly sendResolved: boolean;
  /** Time between two signs of life; 0 where none is wanted. */
  readonly heartbeatMs: number;
}

/** What the channel's own settings and the common ones mean for its backlog. */
export function rulesOf(channel: AlertChannel, settings: AlertSettings, gate: Gate): BacklogRules {
  return {
    gate,
    everyEvent: channel.definition.everyEvent === true,
    groupWaitMs: settings.group_wait_seconds * 1_000,
    queueLimit: settings.queue_limit,
    giveUpMs: settings.give_up_after_seconds * 1_000,
    maxMessages: settings.max_messages,
    windowMs: settings.max_messages_window_seconds * 1_000,
  };
}
