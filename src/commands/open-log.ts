// SPDX-License-Identifier: AGPL-3.0-or-later
import type { LoadedConfig } from "../config/load.ts";
import { createLog, type Log } from "../util/log.ts";
import type { Io } from "./command.ts";

/** The log as configured; in stealth mode a terminal sees errors only. */
export function openLog({ config }: LoadedConfig, { stderr }: Io): Log {
  const isQuiet = config.stealth && stderr.isTTY === true && config.log.level !== "silent";
  return createLog({ ...config.log, ...(isQuiet ? { level: "error" } : {}), target: stderr });
}
