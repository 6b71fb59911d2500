// SPDX-License-Identifier: AGPL-3.0-or-later
import { f64, i32 } from "../util/typed.ts";
import { hashKey, mix } from "./hash.ts";

const CAPACITY = 4096;
const WORDS = 3;
/** Hosts repeat a question after a second (RFC 1122 §2.3.2.1): what comes later than two answers none. */
const ANSWER_WITHIN_MS = 2000;

/**
 * Who asked by ARP for which address during the last two seconds. One place for each question, so that memory is fixed:
 * among thousands of questions at a time a later one may take an earlier one's place, whose answer then counts as
 * unsolicited.
 */
export class ArpQuestions {
  readonly #key: number = 0;
  /** MAC address of the asker in two words, and the address asked for. */
  readonly #words = new Int32Array(CAPACITY * WORDS);
  readonly #askedMs = new Float64Array(CAPACITY).fill(Number.NEGATIVE_INFINITY);

  constructor(hashSeed: number) {
    this.#key = hashKey(hashSeed, "arp questions");
  }

  /** Notes that a MAC address asked for `address`. */
  ask(macHigh: number, macLow: number, address: number, timeMs: number): void {
    const place = this.#place(macHigh, macLow, address);
    const at = place * WORDS;
    this.#words[at] = macHigh;
    this.#words[at + 1] = macLow;
    this.#words[at + 2] = address;
    this.#askedMs[place] = timeMs;
  }

  /** True where that MAC address asked for `address` not long ago: an answer to it is one to a question. */
  wasAsked(macHigh: number, macLow: number, address: number, timeMs: number): boolean {
    const place = this.#place(macHigh, macLow, address);
    const at = place * WORDS;
    return (
      i32(this.#words, at) === macHigh &&
      i32(this.#words, at + 1) === macLow &&
      i32(this.#words, at + 2) === address &&
      timeMs - f64(this.#askedMs, place) <= ANSWER_WITHIN_MS
    );
  }

  #place(macHigh: number, macLow: number, address: number): number {
    const hash = mix(mix(address, this.#key) ^ macLow, this.#key) ^ macHigh;
    return mix(hash, this.#key) & (CAPACITY - 1);
  }
}
