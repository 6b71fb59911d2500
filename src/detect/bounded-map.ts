// SPDX-License-Identifier: AGPL-3.0-or-later

/** State per entity, least recently used entity forgotten first: attackers choose the keys, not the number of them. */
export class BoundedMap<Value> {
  readonly #capacity: number;
  readonly #entries = new Map<string, Value>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The entity's state, made where there is none; it is now the most recently used one. */
  use(key: string, create: () => Value): Value {
    const value = this.#entries.get(key) ?? create();
    this.#entries.delete(key);
    if (this.#entries.size >= this.#capacity) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(key, value);
    return value;
  }

  /** The entity's state without using it. */
  peek(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Entities from the least to the most recently used. */
  entries(): IterableIterator<[string, Value]> {
    return this.#entries.entries();
  }
}
