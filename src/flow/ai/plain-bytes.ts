// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { i32, u8 } from "../../util/typed.ts";
import { WATCHED } from "./watch-rows.ts";

const SIDES = 2;

/** What is new in the segments of watched flows in clear text, which of their calls are a model's, and where replies end. */
export class PlainBytes {
  /** By row and side: whether a segment was seen, and the sequence number behind the last. */
  readonly #seen = new Uint8Array(SIDES * WATCHED);
  readonly #next = new Int32Array(SIDES * WATCHED);
  readonly #proved = new Uint8Array(WATCHED);
  /** Sequence number behind the reply, where it is known. */
  readonly #end = new Int32Array(WATCHED);
  readonly #hasEnd = new Uint8Array(WATCHED);

  begin(row: number): void {
    this.#seen.fill(0, SIDES * row, SIDES * row + SIDES);
    this.#proved[row] = 0;
    this.#hasEnd[row] = 0;
  }

  /** Bytes of a segment that were not sent before. */
  take(row: number, { flowSide, tcpSequence, payloadLength }: Packet): number {
    const at = SIDES * row + flowSide;
    const ahead = u8(this.#seen, at) === 0 ? 0 : (tcpSequence - i32(this.#next, at)) | 0;
    if (ahead + payloadLength <= 0) return 0;
    this.#seen[at] = 1;
    this.#next[at] = (tcpSequence + payloadLength) | 0;
    return ahead < 0 ? ahead + payloadLength : payloadLength;
  }

  /** The same of a flow's first segment: all since the sequence number `start`, where what it goes on with or holds began. */
  takeFrom(row: number, { flowSide, tcpSequence, payloadLength }: Packet, start: number): number {
    const at = SIDES * row + flowSide;
    this.#seen[at] = 1;
    this.#next[at] = (tcpSequence + payloadLength) | 0;
    return (i32(this.#next, at) - start) | 0;
  }

  /** Behind this segment `rest` bytes of the reply are to come, -1 where nobody knows. */
  bound(row: number, { tcpSequence, payloadLength }: Packet, rest: number): void {
    this.#hasEnd[row] = rest < 0 ? 0 : 1;
    this.#end[row] = (tcpSequence + payloadLength + rest) | 0;
  }

  /** True where the side has sent all of the reply. */
  isWhole(row: number, side: number): boolean {
    const left = (i32(this.#end, row) - i32(this.#next, SIDES * row + side)) | 0;
    return u8(this.#hasEnd, row) === 1 && left <= 0;
  }

  /** A reply has shown that the call at hand is one to a model. */
  prove(row: number): void {
    this.#proved[row] = 1;
  }

  /** Ends the call; returns whether it was one to a model. */
  end(row: number): boolean {
    const isProved = u8(this.#proved, row) === 1;
    this.#proved[row] = 0;
    this.#hasEnd[row] = 0;
    return isProved;
  }
}
