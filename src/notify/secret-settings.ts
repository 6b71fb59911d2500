// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync, statSync } from "node:fs";
import { NamError } from "../util/errors.ts";
import type { Log } from "../util/log.ts";
import { Secret } from "../util/secret.ts";
import { z } from "../util/zod.ts";

const WORLD_READABLE = 0o004;

type SecretShape<Name extends string> = {
  readonly [Key in Name]: z.ZodOptional<z.ZodType<Secret, string>>;
} & { readonly [Key in `${Name}_file` | `${Name}_env`]: z.ZodOptional<z.ZodString> };

/** The three settings a secret may come from: `name`, `name_file` and `name_env`. `what` says in words what it is. */
export function secretSettings<Name extends string>(name: Name, what: string): SecretShape<Name> {
  const shape = {
    [name]: z
      .string()
      .transform((text) => new Secret(text.trim()))
      .optional()
      .describe(`${what}. It is a secret: better in ${name}_file or ${name}_env.`),
    [`${name}_file`]: z.string().min(1).optional().describe(`File that holds it: ${what}.`),
    [`${name}_env`]: z
      .string()
      .min(1)
      .optional()
      .describe(`Environment variable that holds it: ${what}.`),
  };
  // Computed keys lose their names in the type.
  return shape as unknown as SecretShape<Name>;
}

/** What is wrong with where a secret comes from; null if nothing is. */
export function secretProblem(settings: object, name: string, isNeeded: boolean): string | null {
  const values = settings as Readonly<Record<string, unknown>>;
  const keys = [name, `${name}_file`, `${name}_env`];
  const given = keys.filter((key) => values[key] !== undefined).length;
  if (given === 1 || (given === 0 && !isNeeded)) return null;
  return `give ${isNeeded ? "" : "at most "}one of ${name}, ${name}_file and ${name}_env`;
}

/** The secret, read from where the settings say; undefined where they say nothing. Throws CHANNEL if it is not there. */
export function readSecret(
  settings: { readonly name: string },
  name: string,
  log: Log,
): Secret | undefined {
  const values = settings as unknown as Readonly<Record<string, unknown>>;
  const { [name]: value, [`${name}_file`]: file, [`${name}_env`]: variable } = values;
  if (value instanceof Secret) return value;
  if (typeof file === "string") return fromFile(settings.name, `${name}_file`, file, log);
  if (typeof variable !== "string") return undefined;
  const text = process.env[variable]?.trim();
  if (text) return new Secret(text);
  throw new NamError(
    "CHANNEL",
    `channel ${settings.name}: the environment variable ${variable} is not set; it must hold the secret that ${name}_env names`,
  );
}

/** The secret where there has to be one. */
export function needSecret(settings: { readonly name: string }, name: string, log: Log): Secret {
  const secret = readSecret(settings, name, log);
  if (secret) return secret;
  const problem = secretProblem(settings, name, true);
  throw new NamError("CHANNEL", `channel ${settings.name}: ${problem}`);
}

function fromFile(channel: string, setting: string, path: string, log: Log): Secret {
  try {
    if (statSync(path).mode & WORLD_READABLE) {
      log.warn({ channel, path }, "every user can read this secret; make its mode 0600");
    }
    return new Secret(readFileSync(path, "utf8").trim());
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new NamError(
      "CHANNEL",
      `channel ${channel}: ${setting} ${path} cannot be read (${code})`,
      error,
    );
  }
}
