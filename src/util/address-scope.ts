// SPDX-License-Identifier: AGPL-3.0-or-later
import ipaddr from "ipaddr.js";

/** How far away an address is: this host, a network that the internet does not route, or the internet. */
export type AddressScope = "loopback" | "private" | "public";

/**
 * Scope of an address in text. Private is whatever the internet does not route (RFC 6890), and text that is no address;
 * what RFC 5737 and RFC 3849 reserve for documents stands for the internet there, and so does here.
 */
export function scopeOf(text: string): AddressScope {
  if (!ipaddr.isValid(text)) return "private";
  const range = ipaddr.process(text).range();
  if (range === "loopback") return "loopback";
  return range === "unicast" || range === "reserved" ? "public" : "private";
}
