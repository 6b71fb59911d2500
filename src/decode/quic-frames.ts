// SPDX-License-Identifier: AGPL-3.0-or-later
import { VarintReader } from "./quic-header.ts";

/** The frames that an Initial may carry (RFC 9000 §12.4). */
const Frame = {
  PADDING: 0,
  PING: 1,
  ACK: 2,
  ACK_ECN: 3,
  CRYPTO: 6,
  CONNECTION_CLOSE: 0x1c,
} as const;
/** Counts of ECN marks behind an ACK. */
const ECN_COUNTS = 3;

/** Finds the CRYPTO frames of a decrypted Initial. */
export class CryptoFrames {
  /** The frame found last: its bytes `[at, end)` of the packet, and their place in the stream. */
  at = 0;
  end = 0;
  offset = 0;
  /** True where the frames ended in something that no Initial may carry. */
  isMalformed = false;
  readonly #varint = new VarintReader(new DataView(new ArrayBuffer(0)));

  begin(plain: DataView): void {
    this.isMalformed = false;
    this.#varint.view = plain;
    this.#varint.at = 0;
    this.#varint.end = plain.byteLength;
  }

  /** Goes to the next CRYPTO frame; false where there is none. */
  next(): boolean {
    const varint = this.#varint;
    while (varint.at < varint.end && !this.isMalformed) {
      switch (varint.next()) {
        case Frame.PADDING:
        case Frame.PING:
          break;
        case Frame.ACK:
          this.isMalformed = !this.#skipAck(0);
          break;
        case Frame.ACK_ECN:
          this.isMalformed = !this.#skipAck(ECN_COUNTS);
          break;
        case Frame.CRYPTO:
          return this.#crypto();
        case Frame.CONNECTION_CLOSE:
          return false;
        default:
          this.isMalformed = true;
      }
    }
    return false;
  }

  #crypto(): boolean {
    const varint = this.#varint;
    this.offset = varint.next();
    const length = varint.next();
    this.at = varint.at;
    this.end = varint.at + length;
    varint.at = this.end;
    this.isMalformed = this.offset < 0 || length < 0 || this.end > varint.end;
    return !this.isMalformed;
  }

  /** RFC 9000 §19.3: largest, delay, count of ranges, first range, then two numbers a range. */
  #skipAck(counts: number): boolean {
    const varint = this.#varint;
    if (varint.next() < 0 || varint.next() < 0) return false;
    const ranges = varint.next();
    if (ranges < 0 || varint.next() < 0) return false;
    for (let i = 0; i < 2 * ranges + counts; i++) if (varint.next() < 0) return false;
    return true;
  }
}
