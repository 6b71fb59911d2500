// SPDX-License-Identifier: AGPL-3.0-or-later
import { hash } from "node:crypto";
import { u8, u16 } from "../util/typed.ts";
import type { NumberList } from "./number-list.ts";

/** Few different texts are hashed again and again: their hashes are kept, and forgotten together when there are so many. */
const MAX_KEPT = 1024;
/** Longer texts are nobody's usual ones: looking for them would cost as much as their hash, and keeping them memory. */
const MAX_KEPT_LENGTH = 512;
const ZERO = 0x30;
/** Digits of the numbers that are left of one with 16 bits when its last two are taken away. */
const HUNDREDS = digitsOf(100);
const TENS = digitsOf(10);
const ONES = digitsOf(1);
const HEX = Buffer.from("0123456789abcdef", "latin1");

/** A text of numbers, written into memory that is reused, and its hash. Makes no string but the hash and a key. */
export class HashedText {
  readonly #algorithm: "md5" | "sha256";
  readonly #bytes: Buffer;
  readonly #kept = new Map<string, string>();
  #length = 0;

  /** `maxBytes`: the longest text that will be written before `take`. */
  constructor(algorithm: "md5" | "sha256", maxBytes: number) {
    this.#algorithm = algorithm;
    this.#bytes = Buffer.alloc(maxBytes);
  }

  literal(character: number): void {
    this.#bytes[this.#length++] = character;
  }

  /** A number of at most 16 bits in decimal digits. */
  decimal(value: number): void {
    this.#length = writeDecimal(this.#bytes, this.#length, value);
  }

  /** Decimal numbers with a character between them. */
  decimals({ values, length }: NumberList, between: number): void {
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < length; i++) {
      if (i > 0) bytes[at++] = between;
      at = writeDecimal(bytes, at, u16(values, i));
    }
    this.#length = at;
  }

  /** Numbers in four hexadecimal digits each, with a character between them. */
  hexes({ values, length }: NumberList, between: number): void {
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < length; i++) {
      if (i > 0) bytes[at++] = between;
      const value = u16(values, i);
      bytes[at++] = u8(HEX, value >>> 12);
      bytes[at++] = u8(HEX, (value >>> 8) & 15);
      bytes[at++] = u8(HEX, (value >>> 4) & 15);
      bytes[at++] = u8(HEX, value & 15);
    }
    this.#length = at;
  }

  /** Hash of the text, in hexadecimal digits; the next text starts empty. */
  take(): string {
    const length = this.#length;
    this.#length = 0;
    if (length > MAX_KEPT_LENGTH) return this.#hash(length);
    const key = this.#bytes.toString("latin1", 0, length);
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    const value = this.#hash(length);
    this.#kept.set(key, value);
    return value;
  }

  #hash(length: number): string {
    return hash(this.#algorithm, this.#bytes.subarray(0, length));
  }
}

function writeDecimal(bytes: Uint8Array, to: number, value: number): number {
  const high = (value / 100) | 0;
  const low = value - high * 100;
  let at = to;
  if (high >= 100) bytes[at++] = u8(HUNDREDS, high);
  if (high >= 10) bytes[at++] = u8(TENS, high);
  if (high >= 1) bytes[at++] = u8(ONES, high);
  if (value >= 10) bytes[at++] = u8(TENS, low);
  bytes[at++] = u8(ONES, low);
  return at;
}

function digitsOf(unit: number): Uint8Array {
  return Uint8Array.from({ length: 656 }, (_, value) => ZERO + (Math.trunc(value / unit) % 10));
}
