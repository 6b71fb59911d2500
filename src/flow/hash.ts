// SPDX-License-Identifier: AGPL-3.0-or-later
import { V4_MAPPED_WORD2 } from "../util/address.ts";
import { i32, u8 } from "../util/typed.ts";

// Hashing of keys that attackers choose. One word never collides with another (each step can be undone); for
// several words a collision cannot be aimed at without the secret multiplier, which carries every difference to
// bits that depend on it. Not cryptographic: it need only be too costly to guess from outside.

const STEP = 0x2c1b3c6d;
const GOLDEN = 0x9e3779b9 | 0;

/** Scrambles one 32-bit word under a secret odd key; int32 in, int32 out. */
export function mix(word: number, key: number): number {
  let hash = Math.imul(word ^ (word >>> 16), key);
  hash = Math.imul(hash ^ (hash >>> 15), STEP);
  return hash ^ (hash >>> 16);
}

/** A key for `mix` from a seed, and one of its own for each purpose: what collides in one table does not in another. */
export function hashKey(seed: number, purpose: string): number {
  let key = mix(seed, GOLDEN);
  for (let i = 0; i < purpose.length; i++) key = mix(key ^ purpose.charCodeAt(i), GOLDEN);
  return mix(key ^ seed, GOLDEN) | 1;
}

/** Hash of an address of four words. */
export function hashAddress(
  word0: number,
  word1: number,
  word2: number,
  word3: number,
  key: number,
): number {
  const hash = mix(word3, key);
  if ((word0 | word1 | (word2 ^ V4_MAPPED_WORD2)) === 0) return hash;
  return mix(mix(mix(hash ^ word2, key) ^ word1, key) ^ word0, key);
}

/** Hash of a few words. */
export function hashWords(words: Int32Array, key: number): number {
  let hash = 0;
  for (let at = 0; at < words.length; at++) hash = mix(hash ^ i32(words, at), key);
  return hash;
}

/** Hash of bytes `[from, to)`. */
export function hashBytes(bytes: Uint8Array, from: number, to: number, key: number): number {
  let hash = to - from;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ u8(bytes, i), key);
  return mix(hash, key);
}

/** Hash of a text. */
export function hashText(text: string, key: number): number {
  let hash = text.length;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), key);
  return mix(hash, key);
}
