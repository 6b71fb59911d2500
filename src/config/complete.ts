// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import { validate } from "../util/validate.ts";
import type { Configured } from "./configured.ts";
import { invalidConfig } from "./invalid.ts";
import { type Config, configSchema } from "./schema.ts";

export interface LoadedConfig extends Pick<Configured, "file" | "warnings"> {
  readonly config: Config;
  /** Short hash of everything that was configured; the same input gives the same hash. */
  readonly hash: string;
}

/** What was configured with defaults for all else. Throws CONFIG_INVALID as `loadConfig` does. */
export function completeConfig(configured: Configured): LoadedConfig {
  const { value, file, warnings } = configured;
  const result = validate(configSchema, value);
  if ("problems" in result) throw invalidConfig(configured, result.problems);
  return { config: result.value, file, hash: hashOf(value), warnings };
}

function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}
