// SPDX-License-Identifier: AGPL-3.0-or-later
import { isIPv4 } from "node:net";

/** Host name of an HTTP Host value (RFC 9110 §7.2) without its port; empty where it is an address, or nothing. */
export function hostOf(value: string): string {
  if (value.startsWith("[")) return "";
  const colon = value.indexOf(":");
  const host = colon < 0 ? value : value.slice(0, colon);
  // Without a colon it is none of IPv6.
  return isIPv4(host) ? "" : host;
}
