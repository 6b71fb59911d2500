// SPDX-License-Identifier: AGPL-3.0-or-later

/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/. Words of traffic are compared by it, and never kept. */
export const HASH_START = 0x811c9dc5 | 0;
const PRIME = 0x01000193;

/** The hash with one more byte. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, PRIME);
}

/** Hash of the bytes `[at, end)`. */
export function hashBytes(view: DataView, at: number, end: number): number {
  let hash = HASH_START;
  for (let i = at; i < end; i++) hash = Math.imul(hash ^ view.getUint8(i), PRIME);
  return hash;
}

/** Hash of a text in UTF-8. */
export function textHash(text: string): number {
  return Buffer.from(text, "utf8").reduce(hashByte, HASH_START);
}

/** The hash with a character more, in UTF-8 (RFC 3629 §3). */
export function hashCharacter(hash: number, character: number): number {
  if (character < 0x80) return hashByte(hash, character);
  if (character < 0x800) {
    return hashByte(hashByte(hash, 0xc0 | (character >>> 6)), tail(character));
  }
  if (character < 0x10000) {
    const first = hashByte(hash, 0xe0 | (character >>> 12));
    return hashByte(hashByte(first, tail(character >>> 6)), tail(character));
  }
  const first = hashByte(hash, 0xf0 | (character >>> 18));
  const second = hashByte(first, tail(character >>> 12));
  return hashByte(hashByte(second, tail(character >>> 6)), tail(character));
}

function tail(bits: number): number {
  return 0x80 | (bits & 0x3f);
}
