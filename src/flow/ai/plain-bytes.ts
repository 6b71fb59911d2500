// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { i32, u8 } from "../../util/typed.ts";
import { WATCHED } from "./watch-rows.ts";

const SIDES = 2;

/** What is new in the segments of watched flows in clear text, and which of their calls are a model's. */
export class PlainBytes {
  /** By row and side: whether a segment was seen, and the sequence number behind the last. */
  readonly #seen = new Uint8Array(SIDES * WATCHED);
  readonly #next = new Int32Array(SIDES * WATCHED);
  readonly #proved = new Uint8Array(WATCHED);

  begin(row: number): void {
    this.#seen.fill(0, SIDES * row, SIDES * row + SIDES);
    this.#proved[row] = 0;
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

  /** A reply has shown that the call at hand is one to a model. */
  prove(row: number): void {
    this.#proved[row] = 1;
  }

  /** Whether the call that ends now is; the next one has to be shown again. */
  isProved(row: number): boolean {
    const isProved = u8(this.#proved, row) === 1;
    this.#proved[row] = 0;
    return isProved;
  }
}
