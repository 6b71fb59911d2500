// SPDX-License-Identifier: AGPL-3.0-or-later
// Lines of protocols that talk in text (RFC 5321, RFC 959, RFC 9051 …), read in place.

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const HYPHEN = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
/** Clears the bit by which lower-case ASCII letters differ from upper-case ones. */
const UPPER_MASK = 0xdf;
/** The same for four letters at once. */
export const UPPER_MASK_4 = 0xdfdfdfdf | 0;

/** Offset of the line feed in `[at, end)`, -1 without one. */
export function lineFeedAt(view: DataView, at: number, end: number): number {
  for (let i = at; i < end; i++) if (view.getUint8(i) === LF) return i;
  return -1;
}

/** Four letters in upper case, as `fourBytes` of a word; the caller knows that four bytes are there. */
export function fourLetters(view: DataView, at: number): number {
  return view.getInt32(at) & UPPER_MASK_4;
}

/** The number of three digits that starts a reply and ends in a space, a hyphen or the line's end; -1 otherwise. */
export function replyCode(view: DataView, at: number, end: number): number {
  if (end - at < 4) return -1;
  const first = view.getUint8(at) - ZERO;
  const second = view.getUint8(at + 1);
  const third = view.getUint8(at + 2);
  if (first < 1 || first > 6 || !isDigit(second) || !isDigit(third)) return -1;
  const next = view.getUint8(at + 3);
  if (next !== SPACE && next !== HYPHEN && next !== CR && next !== LF) return -1;
  return first * 100 + (second - ZERO) * 10 + (third - ZERO);
}

/** True where `[at, end)` holds a word, given as upper-case ASCII; letters of either case match. */
export function holdsWord(view: DataView, at: number, end: number, word: Uint8Array): boolean {
  const last = end - word.length;
  const first = word[0] as number;
  for (let i = at; i <= last; i++) {
    const byte = view.getUint8(i);
    if ((byte === first || (byte & UPPER_MASK) === first) && startsWith(view, i, end, word))
      return true;
  }
  return false;
}

/** True where the bytes at `at` are this upper-case ASCII text, in letters of either case. */
export function startsWith(view: DataView, at: number, end: number, text: Uint8Array): boolean {
  if (end - at < text.length) return false;
  for (let i = 0; i < text.length; i++) {
    const wanted = text[i] as number;
    const byte = view.getUint8(at + i);
    if (byte !== wanted && (byte & UPPER_MASK) !== wanted) return false;
  }
  return true;
}

export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** The bytes of a text in ASCII. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}
