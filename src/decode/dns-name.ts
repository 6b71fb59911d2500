// SPDX-License-Identifier: AGPL-3.0-or-later
import { u8 } from "../util/typed.ts";
import { WireText } from "./wire-text.ts";

/** RFC 1035 §2.3.4 and §4.1.4. */
const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
const POINTER = 0xc0;
const POINTER_OFFSET = 0x3fff;
const DOT = 0x2e;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const TO_LOWER = 0x20;
/** A name of 255 bytes has no more labels, and following a pointer for less than a label is a trick. */
const MAX_STEPS = 128;

/** What reading a name returns where it breaks the rules, and where it runs past the end. */
export const NameFault = { MALFORMED: -1, SHORT: -2 } as const;
const { MALFORMED, SHORT } = NameFault;

/** Offset behind the name at `at`, which a pointer ends, or a NameFault. Labels are bounded, pointers not followed. */
export function skipName(view: DataView, at: number, end: number): number {
  let next = at;
  while (next < end) {
    const length = view.getUint8(next);
    if (length === 0) return next + 1;
    if (length >= POINTER) return next + 2 <= end ? next + 2 : SHORT;
    if (length > MAX_LABEL_BYTES || next - at > MAX_NAME_BYTES) return MALFORMED;
    next += length + 1;
  }
  return SHORT;
}

/** A name out of a DNS message, in memory of its own: uncompressed, in lower case, reused. */
export class DnsName {
  /** Labels as on the wire, each behind its length, the root's 0 last; valid up to `length`. */
  readonly bytes = new Uint8Array(MAX_NAME_BYTES);
  /** Bytes of the name, 1 for the root; 0 where there is no name that can be read. */
  length = 0;
  /** Where its registrable domain begins, -1 until someone asked; see RegistrableDomains. */
  domainAt = -1;
  readonly #view = new DataView(this.bytes.buffer);
  readonly #text = new WireText(MAX_NAME_BYTES);

  clear(): void {
    this.length = 0;
    this.domainAt = -1;
  }

  /**
   * Reads the name at `at` of the message `[messageAt, end)`. Returns the offset behind it, or a NameFault. Pointers
   * lead only to bytes before the ones that they are read from, so they cannot loop.
   */
  read(view: DataView, messageAt: number, at: number, end: number): number {
    this.clear();
    let next = at;
    let before = at;
    let behind = 0;
    let length = 0;
    for (let step = 0; step < MAX_STEPS; step++) {
      if (next >= end) return SHORT;
      const label = view.getUint8(next);
      if (label === 0) {
        this.bytes[length] = 0;
        this.length = length + 1;
        return behind === 0 ? next + 1 : behind;
      }
      if (label >= POINTER) {
        if (next + 2 > end) return SHORT;
        if (behind === 0) behind = next + 2;
        next = messageAt + (view.getUint16(next) & POINTER_OFFSET);
        if (next >= before) return MALFORMED;
        before = next;
        continue;
      }
      if (label > MAX_LABEL_BYTES || length + label + 1 >= MAX_NAME_BYTES) return MALFORMED;
      if (next + 1 + label > end) return SHORT;
      length = this.#copyLabel(view, next, label, length);
      next += label + 1;
    }
    return MALFORMED;
  }

  /**
   * Labels from offset `from` on, joined by dots without a final one, dots and unprintable bytes inside labels
   * escaped, "." for the root. Makes a string: not for every packet.
   */
  text(from = 0): string {
    let at = from;
    for (;;) {
      const label = at < this.length ? u8(this.bytes, at) : 0;
      if (label === 0) break;
      if (at > from) this.#text.literal(DOT);
      this.#text.append(this.#view, at + 1, label, DOT);
      at += label + 1;
    }
    if (at === from) this.#text.literal(DOT);
    return this.#text.take();
  }

  #copyLabel(view: DataView, at: number, label: number, to: number): number {
    const { bytes } = this;
    bytes[to] = label;
    for (let i = 1; i <= label; i++) {
      const byte = view.getUint8(at + i);
      bytes[to + i] = byte >= UPPER_A && byte <= UPPER_Z ? byte + TO_LOWER : byte;
    }
    return to + label + 1;
  }
}
