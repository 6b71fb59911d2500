// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ByteSource } from "./byte-source.ts";

const HEADROOM_BYTES = 64 * 1024;

interface Slot {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where a piece is read to; the bytes before it are room for what the piece before left over. */
  readonly headroom: number;
}

/**
 * Reads a byte source piece by piece into two buffers: while the caller works on one, the other is being filled.
 * What the caller left over stands in front of the next piece, so a record is always in one stretch. The buffers
 * grow only for a record that does not fit, which the caller bounds.
 */
export class ReadAhead {
  readonly #source: ByteSource;
  #current: Slot;
  #next: Slot;
  #pending: Promise<number> | null = null;
  #ended = false;
  /** The bytes at hand are `[at, end)` of `view`; the caller moves `at` on. */
  at = HEADROOM_BYTES;
  end = HEADROOM_BYTES;
  /** Offset in the input of `view`'s first byte. */
  origin = -HEADROOM_BYTES;

  constructor(source: ByteSource) {
    this.#source = source;
    this.#current = slot(HEADROOM_BYTES, source.pieceBytes);
    this.#next = slot(HEADROOM_BYTES, source.pieceBytes);
  }

  get view(): DataView {
    return this.#current.view;
  }

  /** Adds the next piece behind the bytes that are left; false where the input has ended. */
  async more(): Promise<boolean> {
    if (this.#ended) return false;
    const length = await (this.#pending ?? this.#read(this.#next));
    const left = this.end - this.at;
    if (left > this.#next.headroom) this.#grow(left, length);
    const { bytes, headroom } = this.#next;
    const at = headroom - left;
    bytes.set(this.#current.bytes.subarray(this.at, this.end), at);
    [this.#current, this.#next] = [this.#next, this.#current];
    this.origin += this.at - at;
    this.at = at;
    this.end = headroom + length;
    this.#ended = length === 0;
    this.#pending = this.#ended ? null : this.#read(this.#next);
    return !this.#ended;
  }

  /** Waits until nothing is being read into the buffers. */
  async settle(): Promise<void> {
    await this.#pending?.catch(() => 0);
  }

  #read(into: Slot): Promise<number> {
    const reading = this.#source.read(into.bytes, into.headroom, this.#source.pieceBytes);
    // A failure is told by the next call of `more`, which may be long in coming.
    reading.catch(() => {});
    return reading;
  }

  #grow(left: number, length: number): void {
    const grown = slot(2 * left, this.#source.pieceBytes);
    const { bytes, headroom } = this.#next;
    grown.bytes.set(bytes.subarray(headroom, headroom + length), grown.headroom);
    this.#next = grown;
  }
}

function slot(headroom: number, pieceBytes: number): Slot {
  const bytes = new Uint8Array(headroom + pieceBytes);
  return { bytes, view: new DataView(bytes.buffer), headroom };
}
