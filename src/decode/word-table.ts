// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../util/typed.ts";
import { fourBytes } from "./wire-text.ts";

/** A word falls on one of 64 places, by the high bits of a product. */
const PLACES = 64;
const SHIFT = 26;
const MULTIPLIER = 0x9e3779b1;

/** Finds which of some texts may start here by its first four characters, mostly by looking at one place. */
export class WordTable {
  readonly #words = new Int32Array(PLACES);
  /** Position of the text plus one, 0 where the place is free. */
  readonly #positions = new Int32Array(PLACES);

  /** At most half as many texts as there are places, each of at least four characters and no two beginning alike. */
  constructor(texts: readonly string[]) {
    for (const [position, text] of texts.entries()) {
      const word = fourBytes(text);
      let place = placeOf(word);
      while (this.#positions[place] !== 0) place = (place + 1) % PLACES;
      this.#words[place] = word;
      this.#positions[place] = position + 1;
    }
  }

  /** Position of the text that begins with this word, -1 without one. */
  find(word: number): number {
    let place = placeOf(word);
    while (i32(this.#positions, place) !== 0) {
      if (i32(this.#words, place) === word) return i32(this.#positions, place) - 1;
      place = (place + 1) % PLACES;
    }
    return -1;
  }
}

function placeOf(word: number): number {
  return Math.imul(word, MULTIPLIER) >>> SHIFT;
}
