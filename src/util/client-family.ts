// SPDX-License-Identifier: AGPL-3.0-or-later

const BROWSERS: readonly string[] = ["chromium", "firefox", "safari"];
/** No ClientHello, or one of nobody known. */
const UNKNOWN: readonly string[] = ["", "other"];

/** True for a client family, as in the `family` label, that is a browser's. */
export function isBrowser(family: string): boolean {
  return BROWSERS.includes(family);
}

/** True for a client family that is neither empty nor `other`, which may be anything. */
export function isKnownFamily(family: string): boolean {
  return !UNKNOWN.includes(family);
}
