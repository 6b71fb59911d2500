// SPDX-License-Identifier: AGPL-3.0-or-later
import { spawnSync } from "node:child_process";

/**
 * True when the program is on the PATH. Otherwise says so aloud, and fails where a skip would hide something (CI).
 */
export function hasTool(name: string, packageName = name): boolean {
  const found = spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;
  if (found) return true;
  const reason = `${name} is missing: install the Debian package ${packageName}`;
  if (process.env.CI === "true") throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}
