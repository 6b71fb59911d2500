// SPDX-License-Identifier: AGPL-3.0-or-later

import { NamError } from "../util/errors.ts";
import { Secret } from "../util/secret.ts";
import { z } from "../util/zod.ts";
import { type Target, urlProblem, type Vendor } from "./target.ts";

/** Time for one attempt; every channel that leaves the machine has it. */
export const timeoutSetting = z
  .number()
  .min(0.1)
  .max(60)
  .default(15)
  .describe(
    "Time for one attempt, from look-up to answer; connecting may take at most 10 s of it.",
  );

/** Settings of a channel that speaks HTTP: how long, how openly and to whom. */
export function reachSettings(defaults = { http: false, private: false }) {
  return {
    timeout_seconds: timeoutSetting,
    allow_http: z
      .boolean()
      .default(defaults.http)
      .describe("Permit a URL without TLS, which shows the URL and every alert to the network."),
    allow_private: z
      .boolean()
      .default(defaults.private)
      .describe(
        "Permit a receiver of your own, also on private, loopback and link-local addresses. Metadata services of clouds are refused always.",
      ),
  };
}

/** What `reachSettings` gives. */
export interface Reach {
  readonly timeout_seconds: number;
  readonly allow_http: boolean;
  readonly allow_private: boolean;
}

export function policyOf(settings: Pick<Reach, "allow_http" | "allow_private">): Target["policy"] {
  return { allowHttp: settings.allow_http, allowPrivate: settings.allow_private };
}

/**
 * The target for a URL that is no secret, at the vendor or, with `allow_private`, at a receiver of your own. Throws
 * CHANNEL if the URL will not do.
 */
export function fixedTarget(
  settings: Reach & { readonly name: string },
  url: string,
  vendor: Vendor,
  label = vendor.label,
): Target {
  const policy = policyOf(settings);
  const problem = urlProblem(url, vendor, policy);
  if (problem !== null) {
    throw new NamError("CHANNEL", `channel ${settings.name}: the URL ${problem}`);
  }
  return { url: new Secret(url), policy, label, timeoutMs: settings.timeout_seconds * 1_000 };
}
