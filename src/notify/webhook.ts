// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { routingSettings } from "../alert/alert.ts";
import { NamError } from "../util/errors.ts";
import type { Log } from "../util/log.ts";
import { Secret } from "../util/secret.ts";
import { hostLabel, type Target, urlProblem, type Vendor } from "./target.ts";

const WORLD_READABLE = 0o004;

/** Settings of a channel that is a secret URL. */
export function webhookSettings<Type extends string>(type: Type, vendor: Vendor) {
  return z
    .strictObject({
      ...routingSettings(type),
      url: z
        .string()
        .transform((text) => new Secret(text.trim()))
        .optional()
        .describe(
          `Webhook URL, like ${vendor.example}. It is a secret: better in url_file or url_env.`,
        ),
      url_file: z.string().min(1).optional().describe("File that holds the webhook URL."),
      url_env: z
        .string()
        .min(1)
        .optional()
        .describe("Environment variable that holds the webhook URL."),
      timeout_seconds: z
        .number()
        .min(0.1)
        .max(60)
        .default(15)
        .describe(
          "Time for one attempt, from look-up to answer; connecting may take at most 10 s of it.",
        ),
      allow_http: z
        .boolean()
        .default(false)
        .describe("Permit a URL without TLS, which shows the URL and every alert to the network."),
      allow_private: z
        .boolean()
        .default(false)
        .describe(
          "Permit a receiver of your own, also on private, loopback and link-local addresses.",
        ),
    })
    .superRefine((settings, context) => {
      const given = [settings.url, settings.url_file, settings.url_env];
      if (given.filter((value) => value !== undefined).length !== 1) {
        context.addIssue({
          code: "custom",
          path: ["url"],
          message: "give one of url, url_file and url_env",
        });
      }
      const problem = settings.url && urlProblem(settings.url.reveal(), vendor, policyOf(settings));
      if (problem) context.addIssue({ code: "custom", path: ["url"], message: problem });
    });
}

/** What `webhookSettings` gives. */
export interface WebhookSettings {
  readonly name: string;
  readonly url?: Secret | undefined;
  readonly url_file?: string | undefined;
  readonly url_env?: string | undefined;
  readonly timeout_seconds: number;
  readonly allow_http: boolean;
  readonly allow_private: boolean;
}

/**
 * The target the settings name, its URL read and checked. Throws CHANNEL, without a character of the URL, if there is
 * none or it will not do.
 */
export function targetOf(settings: WebhookSettings, vendor: Vendor, log: Log): Target {
  const url = settings.url ?? readUrl(settings, log);
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

function readUrl(settings: WebhookSettings, log: Log): Secret {
  const { name, url_file, url_env } = settings;
  if (url_file !== undefined) return readUrlFile(name, url_file, log);
  const value = process.env[url_env ?? ""]?.trim();
  if (value) return new Secret(value);
  throw new NamError(
    "CHANNEL",
    `channel ${name}: the environment variable ${url_env} is not set; it must hold the webhook URL`,
  );
}

function readUrlFile(name: string, path: string, log: Log): Secret {
  try {
    if (statSync(path).mode & WORLD_READABLE) {
      log.warn({ channel: name, path }, "every user can read this secret; make its mode 0600");
    }
    return new Secret(readFileSync(path, "utf8").trim());
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new NamError(
      "CHANNEL",
      `channel ${name}: url_file ${path} cannot be read (${code})`,
      error,
    );
  }
}

function policyOf(settings: { allow_http: boolean; allow_private: boolean }): Target["policy"] {
  return { allowHttp: settings.allow_http, allowPrivate: settings.allow_private };
}
