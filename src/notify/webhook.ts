// SPDX-License-Identifier: AGPL-3.0-or-later

import { routingSettings } from "../alert/alert.ts";
import { NamError } from "../util/errors.ts";
import type { Log } from "../util/log.ts";
import type { Secret } from "../util/secret.ts";
import { z } from "../util/zod.ts";
import { needSecret, secretProblem, secretSettings } from "./secret-settings.ts";
import { hostLabel, type Target, urlProblem, type Vendor } from "./target.ts";
import { policyOf, type Reach, reachSettings } from "./target-settings.ts";

/** Settings of a channel that is a secret URL, and `extra` ones of its own. */
export function webhookSettings<Type extends string, Extra extends z.ZodRawShape>(
  type: Type,
  vendor: Vendor,
  extra: Extra,
) {
  return z
    .strictObject({
      ...routingSettings(type),
      ...secretSettings("url", `Webhook URL, like ${vendor.example}`),
      ...reachSettings(),
      ...extra,
    })
    .superRefine((values, context) => {
      // The type of an object with a part that is not known yet says nothing of the known part.
      const settings = values as unknown as WebhookSettings;
      const problem =
        secretProblem(settings, "url", true) ??
        (settings.url && urlProblem(settings.url.reveal(), vendor, policyOf(settings)));
      if (problem) context.addIssue({ code: "custom", path: ["url"], message: problem });
    });
}

/** What `webhookSettings` gives besides the extra settings. */
export interface WebhookSettings extends Reach {
  readonly name: string;
  readonly url?: Secret | undefined;
}

/**
 * The target the settings name, its URL read and checked. Throws CHANNEL, without a character of the URL, if there is
 * none or it will not do.
 */
export function targetOf(settings: WebhookSettings, vendor: Vendor, log: Log): Target {
  const url = needSecret(settings, "url", log);
  const policy = policyOf(settings);
  const problem = urlProblem(url.reveal(), vendor, policy);
  if (problem !== null) {
    throw new NamError("CHANNEL", `channel ${settings.name}: the webhook URL ${problem}`);
  }
  return {
    url,
    policy,
    label: hostLabel(url.reveal(), vendor),
    timeoutMs: settings.timeout_seconds * 1_000,
  };
}
