// SPDX-License-Identifier: AGPL-3.0-or-later

/** Says why tests are skipped, and throws where a skip would hide something (CI). */
export function skipAloud(reason: string): false {
  if (process.env.CI === "true") throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}
