// SPDX-License-Identifier: AGPL-3.0-or-later

/** 16-bit numbers in the order of the wire, in memory that never grows; reused from message to message. */
export class NumberList {
  /** Valid are the first `length`. */
  readonly values: Uint16Array;
  length = 0;

  constructor(capacity: number) {
    this.values = new Uint16Array(capacity);
  }

  clear(): void {
    this.length = 0;
  }

  get isFull(): boolean {
    return this.length === this.values.length;
  }

  /** Adds a number; the caller has seen that there is room. */
  push(value: number): void {
    this.values[this.length++] = value;
  }

  includes(value: number): boolean {
    const { values, length } = this;
    for (let i = 0; i < length; i++) if (values[i] === value) return true;
    return false;
  }
}
