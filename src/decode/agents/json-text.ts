// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../../util/typed.ts";
import { HASH_START, hashByte, hashCharacter } from "./text-hash.ts";

/** Words of a text that is being read. */
const TEXT_WORDS = 4;
const HASH = 0;
/** 0, 1 behind a backslash, 2 to 5 within the digits of `\u`. */
const ESCAPE = 1;
const UNIT = 2;
/** First half of a surrogate pair, 0 without one. */
const HIGH = 3;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const FIRST_DIGIT = 2;
const LAST_DIGIT = 5;
/** What letters stand for behind a backslash (RFC 8259 §7); other characters stand for themselves. */
const ESCAPED = new Uint8Array(256).map((_, byte) => byte);
for (const [letter, byte] of Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13 })) {
  ESCAPED[letter.charCodeAt(0)] = byte;
}

/** Hashes a JSON string as the text that it stands for, escapes undone, over any number of pieces. */
export class JsonText {
  readonly #words: Int32Array;

  constructor(places: number) {
    this.#words = new Int32Array(places * TEXT_WORDS);
  }

  /** Begins behind the opening quote. */
  begin(place: number): void {
    const at = place * TEXT_WORDS;
    this.#words[at + HASH] = HASH_START;
    this.#words[at + ESCAPE] = 0;
    this.#words[at + HIGH] = 0;
  }

  hash(place: number): number {
    return i32(this.#words, place * TEXT_WORDS);
  }

  /** Reads on; returns the offset behind the closing quote, or -1 where the piece ends before it. */
  read(view: DataView, at: number, end: number, place: number): number {
    const words = this.#words;
    const base = place * TEXT_WORDS;
    for (let i = at; i < end; i++) {
      const byte = view.getUint8(i);
      const behind = i32(words, base + ESCAPE);
      if (behind > 0) this.#escaped(byte, behind, base);
      else if (byte === QUOTE) return i + 1;
      else if (byte === BACKSLASH) words[base + ESCAPE] = 1;
      else words[base] = hashByte(i32(words, base), byte);
    }
    return -1;
  }

  #escaped(byte: number, behind: number, base: number): void {
    const words = this.#words;
    if (behind >= FIRST_DIGIT) {
      words[base + UNIT] = (i32(words, base + UNIT) << 4) | hexDigit(byte);
      words[base + ESCAPE] = behind === LAST_DIGIT ? 0 : behind + 1;
      if (behind === LAST_DIGIT) this.#unit(i32(words, base + UNIT), base);
    } else if (byte === LOWER_U) {
      words[base + UNIT] = 0;
      words[base + ESCAPE] = FIRST_DIGIT;
    } else {
      words[base] = hashByte(i32(words, base), ESCAPED[byte] as number);
      words[base + ESCAPE] = 0;
    }
  }

  /** A code unit of UTF-16. A half without the other one changes the hash in its own way, and so matches nothing. */
  #unit(unit: number, base: number): void {
    const words = this.#words;
    const high = i32(words, base + HIGH);
    if (unit >= 0xd800 && unit < 0xdc00) {
      words[base + HIGH] = unit;
      return;
    }
    const isPair = high !== 0 && unit >= 0xdc00 && unit < 0xe000;
    const character = isPair ? 0x10000 + ((high - 0xd800) << 10) + unit - 0xdc00 : unit;
    words[base] = hashCharacter(i32(words, base), character);
    words[base + HIGH] = 0;
  }
}

function hexDigit(byte: number): number {
  return byte < 0x40 ? byte & 0x0f : ((byte & 0x0f) + 9) & 0x0f;
}
