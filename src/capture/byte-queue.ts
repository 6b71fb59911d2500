// SPDX-License-Identifier: AGPL-3.0-or-later

/** Chunks of bytes, taken in portions of other sizes. */
export class ByteQueue {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next `count` bytes, which stay in the queue; fewer only at the end of the input. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#held.length < count && (await this.#more()));
    return this.#held.subarray(0, count);
  }

  /** At least one and at most `most` of the next bytes, which stay in the queue; none at the end of the input. */
  async some(most: number): Promise<Uint8Array> {
    return (await this.peek(1)).length === 0 ? this.#held : this.#held.subarray(0, most);
  }

  /** Takes bytes out that have been looked at. */
  skip(count: number): void {
    this.#held = this.#held.subarray(count);
  }

  /** Everything that is left. */
  async *rest(): AsyncGenerator<Uint8Array, void> {
    while (this.#held.length > 0 || (await this.#more())) {
      const held = this.#held;
      this.#held = new Uint8Array(0);
      yield held;
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done) return false;
    this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
    return true;
  }
}
