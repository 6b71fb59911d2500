// SPDX-License-Identifier: AGPL-3.0-or-later

/** Random numbers that are the same in every run: the generator `sfc32`, https://pracrand.sourceforge.net/. */
export class Random {
  #a = 0x9e3779b9 | 0;
  #b = 0x243f6a88;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#c = seed | 0;
    for (let round = 0; round < 12; round++) this.bits();
  }

  /** 32 random bits, signed. */
  bits(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result;
  }

  /** An integer in `[0, bound)`. */
  below(bound: number): number {
    return Math.floor(((this.bits() >>> 0) / 0x1_0000_0000) * bound);
  }
}
