// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import { NamError } from "../util/errors.ts";
import { type Problem, validate } from "../util/validate.ts";
import { type ConfigInput, type Configured, readConfigured } from "./configured.ts";
import { type Config, configSchema } from "./schema.ts";

export interface LoadedConfig extends Pick<Configured, "file" | "warnings"> {
  readonly config: Config;
  /** Short hash of everything that was configured; the same input gives the same hash. */
  readonly hash: string;
}

/**
 * The configuration from flags, NAM_ variables, the file and the defaults, in this order of precedence. Throws
 * CONFIG_READ when a file cannot be read, else CONFIG_INVALID with everything that is wrong, one problem a line.
 */
export function loadConfig(input: ConfigInput): LoadedConfig {
  return completeConfig(readConfigured(input));
}

/** What was configured with defaults for all else. Throws CONFIG_INVALID as `loadConfig` does. */
export function completeConfig(configured: Configured): LoadedConfig {
  const { layers, file, warnings } = configured;
  const result = validate(configSchema, layers.value);
  if ("problems" in result) {
    throw invalid(result.problems.map((problem) => describe(problem, configured)));
  }
  return {
    config: result.value,
    file,
    hash: createHash("sha256").update(JSON.stringify(layers.value)).digest("hex").slice(0, 16),
    warnings,
  };
}

function describe({ path, message }: Problem, { layers, document, file }: Configured): string {
  const place = document ? `${file}:${document.lineOf(path)}` : "configuration";
  return `${layers.originOf(path) ?? place}: ${nameOf(path)}: ${message}`;
}

function nameOf(path: Problem["path"]): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join("");
}

function invalid(problems: readonly string[]): NamError {
  const text =
    problems.length === 1
      ? String(problems[0])
      : `${problems.length} problems in the configuration:\n  ${problems.join("\n  ")}`;
  return new NamError("CONFIG_INVALID", text);
}
