// SPDX-License-Identifier: AGPL-3.0-or-later

const BROWSERS: readonly string[] = ["chromium", "firefox", "safari"];
/** No ClientHello, or one of nobody known. */
const UNKNOWN: readonly string[] = ["", "other"];

/** OpenSSL's own hello, and rustls's: many programs have it. */
const SHARED: readonly string[] = ["curl", "deno"];

/** True for a client family, as in the `family` label, that is a browser's. */
export function isBrowser(family: string): boolean {
  return BROWSERS.includes(family);
}

/** True for a client family that is neither empty nor `other`, which may be anything. */
export function isKnownFamily(family: string): boolean {
  return !UNKNOWN.includes(family);
}

/** True where a client whose hello is of the one family cannot well be of the other, which its User-Agent names; empty for none. */
export function contradicts(family: string, claimed: string): boolean {
  if (!isKnownFamily(family) || claimed === "" || claimed === family) return false;
  return isBrowser(claimed) || !SHARED.includes(family);
}
