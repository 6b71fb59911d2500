// SPDX-License-Identifier: AGPL-3.0-or-later
import ipaddr from "ipaddr.js";

const MAPPED_BITS = 96;

/** A network as masks and values of the words of packets' addresses: one word for IPv4, four for IPv6. */
export interface Network {
  readonly masks: readonly number[];
  readonly words: readonly number[];
}

/**
 * The network, or the single address, that `text` names; null where it names none. IPv4 takes four decimal parts,
 * and IPv4 written in IPv6 becomes IPv4, as packets' addresses do.
 */
export function parseNetwork(text: string): Network | null {
  const prefix = parsePrefix(text);
  if (prefix === null) return null;
  const [address, length] = prefix;
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && length >= MAPPED_BITS) {
    return compile(address.toIPv4Address().toByteArray(), length - MAPPED_BITS);
  }
  return compile(address.toByteArray(), length);
}

function compile(bytes: readonly number[], prefixLength: number): Network {
  const words: number[] = [];
  const masks: number[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const bits = Math.max(0, Math.min(32, prefixLength - at * 8));
    const mask = bits === 0 ? 0 : -1 << (32 - bits);
    const word = bytes.slice(at, at + 4).reduce((value, byte) => (value << 8) | byte, 0);
    masks.push(mask);
    words.push(word & mask);
  }
  return { masks, words };
}

function parsePrefix(text: string): readonly [ipaddr.IPv4 | ipaddr.IPv6, number] | null {
  const { IPv4 } = ipaddr;
  const isV6 = text.includes(":");
  if (isV6 ? ipaddr.isValidCIDR(text) : IPv4.isValidCIDRFourPartDecimal(text)) {
    return ipaddr.parseCIDR(text);
  }
  if (isV6 ? ipaddr.isValid(text) : IPv4.isValidFourPartDecimal(text)) {
    return [ipaddr.parse(text), isV6 ? 128 : 32];
  }
  return null;
}
