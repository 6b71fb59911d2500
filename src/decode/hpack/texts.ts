// SPDX-License-Identifier: AGPL-3.0-or-later
import { Huffman, Step } from "./huffman.ts";

/** Bytes of a name or value that are kept; longer hosts are cut. */
export const TEXT_MAX = 255;
const ROOM = 256;
const { STATE_MASK, BYTE_SHIFT, HAS_BYTE, FAILED } = Step;

/** What `Texts.decode` returns for a text that breaks the code. */
export const BROKEN_TEXT = -2;

/** The text that is being read on each of a fixed number of streams, as far as anybody looks at it (RFC 7541 §5.2). */
export class Texts {
  readonly bytes: Uint8Array;
  /** Bytes of the text that `decode` went on with, those not kept among them. */
  length = 0;
  /** Made for the first text in it: most traffic has none. */
  #code: Huffman | null = null;

  constructor(streams: number) {
    this.bytes = new Uint8Array(streams * ROOM);
  }

  /** Where the stream's text begins in `bytes`. */
  at(stream: number): number {
    return stream * ROOM;
  }

  /** Keeps `[from, end)` of `view` behind the first `length` bytes of the text. */
  copy(view: DataView, from: number, end: number, stream: number, length: number): void {
    const to = stream * ROOM + length;
    const last = Math.min(end, from + TEXT_MAX - length);
    for (let at = from; at < last; at++) this.bytes[to + at - from] = view.getUint8(at);
  }

  /** Unpacks `[from, end)` of `view` behind `length` bytes; `state`, 0 at first, is what this returned before. Or BROKEN_TEXT. */
  decode(
    view: DataView,
    from: number,
    end: number,
    stream: number,
    state: number,
    length: number,
  ): number {
    const { bytes } = this;
    const huffman = this.#code ?? this.#huffman();
    const textAt = stream * ROOM;
    let code = state;
    let to = length;
    for (let half = 2 * from; half < 2 * end; half++) {
      const byte = view.getUint8(half >>> 1);
      const step = huffman.step(code, (half & 1) === 0 ? byte >>> 4 : byte & 0xf);
      code = step & STATE_MASK;
      if (step < HAS_BYTE) continue;
      if (step === FAILED) return BROKEN_TEXT;
      if (to < TEXT_MAX) bytes[textAt + to] = (step >>> BYTE_SHIFT) & 0xff;
      to++;
    }
    this.length = to;
    return code;
  }

  /** True where a text may end in this state. */
  endsWell(state: number): boolean {
    return (this.#code ?? this.#huffman()).endsWell(state);
  }

  #huffman(): Huffman {
    const code = new Huffman();
    this.#code = code;
    return code;
  }
}
