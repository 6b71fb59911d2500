// SPDX-License-Identifier: AGPL-3.0-or-later
import { f64, u8 } from "../util/typed.ts";

/** Bytes a name has at most. */
const LONGEST = 256;

/** Measures what stands in front of a domain in a name: its characters, and how evenly they are spread. */
export class DnsLabels {
  /** Characters of the labels, without dots. */
  length = 0;
  /** Shannon entropy of the characters in bits, 0 for none. */
  entropy = 0;
  readonly #counts = new Uint8Array(256);
  /** n log2 n */
  readonly #terms = Float64Array.from({ length: LONGEST }, (_, n) =>
    n > 0 ? n * Math.log2(n) : 0,
  );

  /** Measures the labels of `bytes` (DnsName) in `[0, end)`. */
  measure(bytes: Uint8Array, end: number): void {
    const counts = this.#counts;
    let length = 0;
    for (let at = 0; at < end; ) {
      const next = at + 1 + u8(bytes, at);
      for (at++; at < next; at++) {
        const byte = u8(bytes, at);
        counts[byte] = u8(counts, byte) + 1;
        length++;
      }
    }
    let sum = 0;
    for (let at = 0; at < end; at++) {
      // A length in front of a label may be the code of a character too: what was counted once is 0 then.
      const byte = u8(bytes, at);
      sum += f64(this.#terms, u8(counts, byte));
      counts[byte] = 0;
    }
    this.length = length;
    this.entropy = length > 0 ? Math.max(0, Math.log2(length) - sum / length) : 0;
  }
}
