// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../util/typed.ts";

const INT32_MIN = -0x80000000;

/** First SYNs that wait for their time-out, oldest first: a ring of fixed size, a power of two. */
export class SynTimeouts {
  readonly #slots: Int32Array;
  readonly #started: Int32Array;
  readonly #mask: number = 0;
  #head = 0;
  #length = 0;

  constructor(capacity: number) {
    this.#slots = new Int32Array(capacity);
    this.#started = new Int32Array(capacity);
    this.#mask = capacity - 1;
  }

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length > this.#mask;
  }

  /** Slot of the flow that has waited longest. */
  get slot(): number {
    return i32(this.#slots, this.#head);
  }

  /** When that flow started; with the slot it names the flow, should another have taken the slot since. */
  get started(): number {
    return i32(this.#started, this.#head);
  }

  push(slot: number, started: number): void {
    const at = (this.#head + this.#length) & this.#mask;
    this.#slots[at] = slot;
    this.#started[at] = started;
    this.#length++;
  }

  pop(): void {
    this.#head = (this.#head + 1) & this.#mask;
    this.#length--;
  }

  shiftEpoch(byMs: number): void {
    for (let at = 0; at <= this.#mask; at++) {
      this.#started[at] = Math.max(i32(this.#started, at) - byMs, INT32_MIN);
    }
  }
}
