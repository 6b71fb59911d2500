// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../util/typed.ts";

/** Few streams have a hole at a time: what is pushed out is only taken for the wrong one of two rare things. */
const HOLES = 4096;
const WORDS_SHIFT = 2;
const KEY = 0;
const FROM = 1;
const TO = 2;
const OPENED_MS = 3;
const NO_KEY = -1;
/** Multiplier that spreads neighbouring slots (Knuth, The Art of Computer Programming, §6.4). */
const SPREAD = 0x9e3779b1 | 0;
const INDEX_SHIFT = 20;

/** The newest hole in the sequence numbers of a side of a flow, for the flows that had one last. */
export class SequenceHoles {
  readonly #words = new Int32Array(HOLES << WORDS_SHIFT).fill(NO_KEY);

  /** Notes that `[from, to)` was left out; the hole before it is forgotten. */
  open(slot: number, side: number, from: number, to: number, timeMs: number): void {
    const at = indexOf(slot, side);
    this.#words[at + KEY] = keyOf(slot, side);
    this.#words[at + FROM] = from;
    this.#words[at + TO] = to;
    this.#words[at + OPENED_MS] = timeMs;
  }

  /** Takes `[from, to)` out of the hole if it begins in it; returns how long that was open, -1 for bytes outside. */
  fill(slot: number, side: number, from: number, to: number, timeMs: number): number {
    const at = this.#find(slot, side);
    if (at < 0) return -1;
    const words = this.#words;
    const isInside =
      ((from - i32(words, at + FROM)) | 0) >= 0 && ((i32(words, at + TO) - from) | 0) > 0;
    if (!isInside) return -1;
    if (from === i32(words, at + FROM)) words[at + FROM] = to;
    if (((i32(words, at + TO) - i32(words, at + FROM)) | 0) <= 0) words[at + KEY] = NO_KEY;
    return (timeMs - i32(words, at + OPENED_MS)) | 0;
  }

  /** Bytes left of a hole whose end was acknowledged, which is forgotten; -1 where the acknowledgment is before its end. */
  acknowledge(slot: number, side: number, acknowledgment: number): number {
    const at = this.#find(slot, side);
    if (at < 0) return 0;
    const words = this.#words;
    if (((acknowledgment - i32(words, at + TO)) | 0) < 0) return -1;
    words[at + KEY] = NO_KEY;
    return (i32(words, at + TO) - i32(words, at + FROM)) | 0;
  }

  /** Offset of the hole's words, -1 where there is none. */
  #find(slot: number, side: number): number {
    const at = indexOf(slot, side);
    return i32(this.#words, at + KEY) === keyOf(slot, side) ? at : -1;
  }
}

function keyOf(slot: number, side: number): number {
  return (slot << 1) | side;
}

function indexOf(slot: number, side: number): number {
  return (Math.imul(keyOf(slot, side), SPREAD) >>> INDEX_SHIFT) << WORDS_SHIFT;
}
