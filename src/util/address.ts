// SPDX-License-Identifier: AGPL-3.0-or-later
// Addresses as four signed 32-bit words in network order, IPv4 as ::ffff:a.b.c.d.

export const V4_MAPPED_WORD2 = 0xffff;

/** Text of an address, RFC 5952 for IPv6. For rows, events and reports; never per packet. */
export function formatAddress(word0: number, word1: number, word2: number, word3: number): string {
  if (word0 === 0 && word1 === 0 && word2 === V4_MAPPED_WORD2) {
    return `${word3 >>> 24}.${(word3 >>> 16) & 255}.${(word3 >>> 8) & 255}.${word3 & 255}`;
  }
  return formatIpv6([word0, word1, word2, word3]);
}

function formatIpv6(words: readonly number[]): string {
  const groups = words.flatMap((word) => [(word >>> 16) & 0xffff, word & 0xffff]);
  let bestAt = -1;
  let bestLength = 1;
  for (let at = 0; at < groups.length; at++) {
    let length = 0;
    while (at + length < groups.length && groups[at + length] === 0) length++;
    if (length > bestLength) {
      bestAt = at;
      bestLength = length;
    }
  }
  const hex = (part: readonly number[]): string =>
    part.map((group) => group.toString(16)).join(":");
  if (bestAt < 0) return hex(groups);
  return `${hex(groups.slice(0, bestAt))}::${hex(groups.slice(bestAt + bestLength))}`;
}

/** Text of the MAC address at `at`, lower case with colons. */
export function formatMac(view: DataView, at: number): string {
  const parts: string[] = [];
  for (let i = 0; i < 6; i++)
    parts.push(
      view
        .getUint8(at + i)
        .toString(16)
        .padStart(2, "0"),
    );
  return parts.join(":");
}
