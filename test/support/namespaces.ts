// SPDX-License-Identifier: AGPL-3.0-or-later
import { spawnSync } from "node:child_process";
import { skipAloud } from "./skip-aloud.ts";

/** True where this process may make network namespaces; otherwise `skipAloud`. */
export function canMakeNamespaces(): boolean {
  const name = `nam-probe-${process.pid}`;
  const made = spawnSync("ip", ["netns", "add", name]).status === 0;
  if (!made) return skipAloud("network namespaces need root and the Debian package iproute2");
  spawnSync("ip", ["netns", "del", name]);
  return true;
}
