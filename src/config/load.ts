// SPDX-License-Identifier: AGPL-3.0-or-later
import { completeConfig, type LoadedConfig } from "./complete.ts";
import { type ConfigInput, readConfigured } from "./configured.ts";

/**
 * The configuration from flags, NAM_ variables, the file and the defaults, in this order of precedence. Throws
 * CONFIG_READ when a file cannot be read, else CONFIG_INVALID with everything that is wrong, one problem a line.
 */
export function loadConfig(input: ConfigInput): LoadedConfig {
  return completeConfig(readConfigured(input));
}
