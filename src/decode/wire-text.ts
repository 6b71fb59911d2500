// SPDX-License-Identifier: AGPL-3.0-or-later

const BACKSLASH = 0x5c;
const ZERO = 0x30;
const FIRST_PRINTABLE = 0x21;
const LAST_PRINTABLE = 0x7e;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const TO_LOWER = 0x20;
const LOWER_A = 0x61;
const LOWER_Z = 0x7a;
/** An escape is a backslash and three digits. */
const MAX_BYTES_PER_BYTE = 4;

/** The first four characters of `text` as the signed word that a DataView reads from a payload. */
export function fourBytes(text: string): number {
  return Buffer.from(text, "latin1").readInt32BE(0);
}

/**
 * Turns bytes off the wire into text that is safe to show: lower case, and anything that is not printable
 * ASCII as `\DDD`, the master file form of RFC 1035 §5.1. Reused, so that a name costs one string.
 */
export class WireText {
  readonly #bytes: Buffer;
  #length = 0;

  /** `maxBytes`: most bytes that are appended before `take`; further ones are left out. */
  constructor(maxBytes: number) {
    this.#bytes = Buffer.alloc(maxBytes * MAX_BYTES_PER_BYTE);
  }

  /** Appends `[at, at + length)` of `view`, which the caller has bounded; `special`, which is no small letter, is escaped too. */
  append(view: DataView, at: number, length: number, special: number): void {
    const bytes = this.#bytes;
    const last = bytes.length - MAX_BYTES_PER_BYTE;
    let to = this.#length;
    for (let i = at; i < at + length && to <= last; i++) {
      const value = view.getUint8(i);
      if (value >= LOWER_A && value <= LOWER_Z) bytes[to++] = value;
      else to = write(bytes, to, value, special);
    }
    this.#length = to;
  }

  /** Appends one character as it is. */
  literal(character: number): void {
    if (this.#length < this.#bytes.length) this.#bytes[this.#length++] = character;
  }

  /** The text so far; the next one starts empty. */
  take(): string {
    const text = this.#bytes.toString("latin1", 0, this.#length);
    this.#length = 0;
    return text;
  }
}

/** Writes what is not a small letter at `to`; returns where the next byte goes. */
function write(bytes: Uint8Array, to: number, value: number, special: number): number {
  let next = to;
  if (value < FIRST_PRINTABLE || value > LAST_PRINTABLE) {
    bytes[next++] = BACKSLASH;
    bytes[next++] = ZERO + Math.trunc(value / 100);
    bytes[next++] = ZERO + (Math.trunc(value / 10) % 10);
    bytes[next++] = ZERO + (value % 10);
    return next;
  }
  if (value === special || value === BACKSLASH) bytes[next++] = BACKSLASH;
  bytes[next++] = value >= UPPER_A && value <= UPPER_Z ? value + TO_LOWER : value;
  return next;
}
