// SPDX-License-Identifier: AGPL-3.0-or-later
import { u16 } from "../util/typed.ts";
import type { NumberList } from "./number-list.ts";

/** From so many numbers on counting is faster than comparing. */
const MANY = 64;
const BYTES = 256;

/** Sorts lists of 16-bit numbers, in time that follows from how many there are, not from which. */
export class NumberSorter {
  readonly #other: Uint16Array;
  /** How many numbers have each lower byte, and behind that each upper byte; then where the next of them goes. */
  readonly #places = new Uint16Array(2 * BYTES);

  /** `capacity`: that of the longest list to sort. */
  constructor(capacity: number) {
    this.#other = new Uint16Array(capacity);
  }

  sort(list: NumberList): void {
    if (list.length < MANY) list.values.subarray(0, list.length).sort();
    else this.#sortByBytes(list);
  }

  /** By the lower byte into the other memory, and by the upper byte back. */
  #sortByBytes({ values, length }: NumberList): void {
    const other = this.#other;
    const places = this.#places;
    places.fill(0);
    for (let i = 0; i < length; i++) {
      const value = u16(values, i);
      places[value & 0xff] = u16(places, value & 0xff) + 1;
      places[BYTES + (value >>> 8)] = u16(places, BYTES + (value >>> 8)) + 1;
    }
    toStarts(places, 0);
    toStarts(places, BYTES);
    for (let i = 0; i < length; i++) {
      const value = u16(values, i);
      const place = u16(places, value & 0xff);
      places[value & 0xff] = place + 1;
      other[place] = value;
    }
    for (let i = 0; i < length; i++) {
      const value = u16(other, i);
      const place = u16(places, BYTES + (value >>> 8));
      places[BYTES + (value >>> 8)] = place + 1;
      values[place] = value;
    }
  }
}

/** Turns counts into the place where the first of each goes. */
function toStarts(places: Uint16Array, from: number): void {
  let sum = 0;
  for (let i = from; i < from + BYTES; i++) {
    const count = u16(places, i);
    places[i] = sum;
    sum += count;
  }
}
