// SPDX-License-Identifier: AGPL-3.0-or-later
import { fourBytes } from "../wire-text.ts";
import { HASH_START, hashByte, hashBytes } from "./text-hash.ts";

/** `=?base64?`, text in base64, `?=`: how MCP 2026-07-28 writes what a header may not hold as it is. */
const OPENING_LENGTH = 9;
const CLOSING_LENGTH = 2;
const OPENING_0 = fourBytes("=?ba");
const OPENING_4 = fourBytes("se64");
const QUESTION = 0x3f;
const EQUALS = 0x3d;
const INVALID = 0xff;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SIXES = new Uint8Array(256).fill(INVALID);
for (let at = 0; at < ALPHABET.length; at++) SIXES[ALPHABET.charCodeAt(at)] = at;

/** Hash of a header value's text, decoded where it is encoded; a value that claims to be and is not counts as it stands. */
export function valueHash(view: DataView, at: number, end: number): number {
  if (!isEncoded(view, at, end)) return hashBytes(view, at, end);
  let to = end - CLOSING_LENGTH;
  while (to > at && view.getUint8(to - 1) === EQUALS) to--;
  let hash = HASH_START;
  let bits = 0;
  let count = 0;
  for (let i = at + OPENING_LENGTH; i < to; i++) {
    const six = SIXES[view.getUint8(i)] as number;
    if (six === INVALID) return hashBytes(view, at, end);
    bits = ((bits & 0xff) << 6) | six;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    hash = hashByte(hash, (bits >>> count) & 0xff);
  }
  return hash;
}

function isEncoded(view: DataView, at: number, end: number): boolean {
  if (end - at < OPENING_LENGTH + CLOSING_LENGTH) return false;
  if (view.getInt32(at) !== OPENING_0 || view.getInt32(at + 4) !== OPENING_4) return false;
  if (view.getUint8(at + OPENING_LENGTH - 1) !== QUESTION) return false;
  return view.getUint8(end - 2) === QUESTION && view.getUint8(end - 1) === EQUALS;
}
