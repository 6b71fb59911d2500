// SPDX-License-Identifier: AGPL-3.0-or-later
import { V4_MAPPED_WORD2 } from "../util/address.ts";

/** Addresses of one answer that are kept; servers give a handful. */
const ADDRESSES_MAX = 16;
const WORDS = 4;
/** RFC 1035 §3.4.1 and RFC 3596 §2: type, class "internet", and the length of the data. */
const A = 1;
const A_LENGTH = 4;
const AAAA = 28;
const AAAA_LENGTH = 16;
const INTERNET = 1;
const CLASS_AT = 2;
const TIME_TO_LIVE_AT = 4;
const LENGTH_AT = 8;
const DATA_AT = 10;

/** The addresses that a DNS message answers with, reused. Words as in Packet. */
export class DnsAddresses {
  count = 0;
  /** Four words an address. */
  readonly words = new Int32Array(ADDRESSES_MAX * WORDS);
  /** Seconds to live, by address. */
  readonly seconds = new Float64Array(ADDRESSES_MAX);

  clear(): void {
    this.count = 0;
  }

  /** Takes the record whose fixed part begins at `tail` and whose data lies whole in `view`, if it is an address. */
  take(view: DataView, tail: number): void {
    const type = view.getUint16(tail);
    if ((type !== A && type !== AAAA) || this.count === ADDRESSES_MAX) return;
    if (view.getUint16(tail + CLASS_AT) !== INTERNET) return;
    const length = view.getUint16(tail + LENGTH_AT);
    if (length !== (type === A ? A_LENGTH : AAAA_LENGTH)) return;
    const at = this.count * WORDS;
    const { words } = this;
    const data = tail + DATA_AT;
    words[at] = type === A ? 0 : view.getInt32(data);
    words[at + 1] = type === A ? 0 : view.getInt32(data + 4);
    words[at + 2] = type === A ? V4_MAPPED_WORD2 : view.getInt32(data + 8);
    words[at + 3] = type === A ? view.getInt32(data) : view.getInt32(data + 12);
    this.seconds[this.count++] = view.getUint32(tail + TIME_TO_LIVE_AT);
  }
}
