// SPDX-License-Identifier: AGPL-3.0-or-later
import { spawnSync } from "node:child_process";

/**
 * True where this process may make network namespaces. Otherwise says so aloud, and fails where a skip would hide
 * something (CI).
 */
export function canMakeNamespaces(): boolean {
  const name = `nam-probe-${process.pid}`;
  const made = spawnSync("ip", ["netns", "add", name]).status === 0;
  if (made) {
    spawnSync("ip", ["netns", "del", name]);
    return true;
  }
  const reason = "network namespaces need root and the Debian package iproute2";
  if (process.env.CI === "true") throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}
