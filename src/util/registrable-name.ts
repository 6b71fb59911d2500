// SPDX-License-Identifier: AGPL-3.0-or-later
import { getDomain } from "tldts";

/** Private suffixes (github.io, duckdns.org) count: below them names belong to different people. */
const OPTIONS = {
  allowPrivateDomains: true,
  detectIp: false,
  extractHostname: false,
  validateHostname: false,
} as const;

/**
 * The part of a host name that somebody registered: `b.co.uk` of `www.a.b.co.uk`, by the public suffix list; null where
 * it has none: a single label, or a public suffix itself. The name is lower case, without a dot at its end.
 */
export function registrableName(name: string): string | null {
  return getDomain(name, OPTIONS);
}
