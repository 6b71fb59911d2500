// SPDX-License-Identifier: AGPL-3.0-or-later
import { existsSync } from "node:fs";
import { loadCap } from "../../src/capture/cap-package.ts";
import { messageOf } from "../../src/util/errors.ts";
import { skipAloud } from "../support/skip-aloud.ts";

/** True where the optional package `cap` is installed. */
export async function hasCap(): Promise<boolean> {
  try {
    await loadCap();
    return true;
  } catch (error) {
    return skipAloud(messageOf(error));
  }
}

/** True where this machine can make tunnel devices. */
export function hasTunnels(): boolean {
  return existsSync("/dev/net/tun") || skipAloud("tunnel devices need /dev/net/tun");
}
