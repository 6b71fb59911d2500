// SPDX-License-Identifier: AGPL-3.0-or-later

/** Tags of X.690 that certificates use; 0xa0 and on are context-specific. */
export const Tag = {
  INTEGER: 0x02,
  OCTET_STRING: 0x04,
  OBJECT_IDENTIFIER: 0x06,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
  CONTEXT_0: 0xa0,
  CONTEXT_3: 0xa3,
} as const;

const LONG_FORM = 0x80;
/** No certificate in a handshake is longer than three bytes can say. */
const MAX_LENGTH_BYTES = 3;

/**
 * Steps through DER elements (X.690 §8.1), one after another or into each other. Every length is checked against
 * the element around it, so that nothing outside the first bounds is ever read.
 */
export class DerCursor {
  readonly view: DataView;
  /** The element read last: its tag, where it starts, and its contents `[from, to)`. */
  tag = 0;
  startAt = 0;
  from = 0;
  to = 0;
  #at: number;
  #end: number;

  constructor(view: DataView, at: number, end: number) {
    this.view = view;
    this.#at = at;
    this.#end = end;
  }

  /** Reads the next element of the current level; false where there is none or its length is wrong. */
  next(): boolean {
    if (this.#at + 2 > this.#end) return false;
    this.startAt = this.#at;
    this.tag = this.view.getUint8(this.#at);
    let length = this.view.getUint8(this.#at + 1);
    this.from = this.#at + 2;
    if (length >= LONG_FORM) {
      const bytes = length - LONG_FORM;
      if (bytes === 0 || bytes > MAX_LENGTH_BYTES || this.from + bytes > this.#end) return false;
      length = 0;
      for (let i = 0; i < bytes; i++) length = (length << 8) | this.view.getUint8(this.from + i);
      this.from += bytes;
    }
    this.to = this.from + length;
    if (this.to > this.#end) return false;
    this.#at = this.to;
    return true;
  }

  /** True when the element read last has this tag. */
  is(tag: number): boolean {
    return this.tag === tag;
  }

  /** Reads the next element, which must have this tag. */
  nextIs(tag: number): boolean {
    return this.next() && this.tag === tag;
  }

  /** The elements inside the one read last. */
  inside(): DerCursor {
    return new DerCursor(this.view, this.from, this.to);
  }
}
