// SPDX-License-Identifier: AGPL-3.0-or-later
import { WireText } from "./wire-text.ts";

/** RFC 1035 §2.3.4 and §4.1.4. */
const MAX_NAME_BYTES = 255;
const POINTER = 0xc0;
const POINTER_OFFSET = 0x3fff;
const DOT = 0x2e;
/** A name of 255 bytes has no more labels, and following a pointer for less than a label is a trick. */
const MAX_STEPS = 128;

/** What `skipName` returns for a name that breaks the rules, and for one that runs past the end. */
export const NameFault = { MALFORMED: -1, SHORT: -2 } as const;

/** Offset behind the name at `at`, which a pointer ends, or a NameFault. Labels are bounded, pointers not followed. */
export function skipName(view: DataView, at: number, end: number): number {
  let next = at;
  while (next < end) {
    const length = view.getUint8(next);
    if (length === 0) return next + 1;
    if (length >= POINTER) return next + 2 <= end ? next + 2 : NameFault.SHORT;
    if (length >= 0x40 || next - at > MAX_NAME_BYTES) return NameFault.MALFORMED;
    next += length + 1;
  }
  return NameFault.SHORT;
}

/** Turns names in DNS messages into text. Reused, so that a name costs one string. */
export class DnsNameReader {
  readonly #text = new WireText(MAX_NAME_BYTES);

  /**
   * The name at `at` of the message `[messageAt, end)`: lower case, labels joined by dots without a final one,
   * dots and unprintable bytes inside labels escaped, "." for the root. Pointers lead only to bytes before the
   * ones that they are read from, so they cannot loop. Returns null where the name breaks the rules or the message ends in it.
   */
  read(view: DataView, messageAt: number, at: number, end: number): string | null {
    let next = at;
    let before = at;
    let bytes = 0;
    for (let step = 0; step < MAX_STEPS && next < end; step++) {
      const length = view.getUint8(next);
      if (length === 0) return this.#finish(bytes);
      if (length >= POINTER) {
        if (next + 2 > end) break;
        const target = messageAt + (view.getUint16(next) & POINTER_OFFSET);
        if (target >= before) break;
        before = target;
        next = target;
        continue;
      }
      const labelEnd = next + 1 + length;
      if (length >= 0x40 || labelEnd > end || bytes + length + 1 > MAX_NAME_BYTES) break;
      if (bytes > 0) this.#text.literal(DOT);
      this.#text.append(view, next + 1, length, DOT);
      bytes += length + 1;
      next = labelEnd;
    }
    this.#text.take();
    return null;
  }

  #finish(bytes: number): string {
    if (bytes === 0) this.#text.literal(DOT);
    return this.#text.take();
  }
}
