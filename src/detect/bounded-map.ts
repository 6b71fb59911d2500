// SPDX-License-Identifier: AGPL-3.0-or-later

interface Node<Value> {
  readonly key: string;
  readonly value: Value;
  older: Node<Value> | null;
  newer: Node<Value> | null;
}

/**
 * State per entity, least recently used entity forgotten first: attackers choose the keys, not the number of them. The
 * order is a list of its own: a Map that is reordered by deleting and setting keeps a hole for each deleted key, and
 * finding its oldest key means to walk over all of them.
 */
export class BoundedMap<Value> {
  readonly #capacity: number;
  readonly #nodes = new Map<string, Node<Value>>();
  #oldest: Node<Value> | null = null;
  #newest: Node<Value> | null = null;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The entity's state, made where there is none; it is now the most recently used one. */
  use(key: string, create: () => Value): Value {
    const known = this.#nodes.get(key);
    if (known) {
      if (known !== this.#newest) {
        this.#unlink(known);
        this.#append(known);
      }
      return known.value;
    }
    const node: Node<Value> = { key, value: create(), older: null, newer: null };
    if (this.#oldest && this.#nodes.size >= this.#capacity) this.delete(this.#oldest.key);
    this.#nodes.set(key, node);
    this.#append(node);
    return node.value;
  }

  /** The entity's state without using it. */
  peek(key: string): Value | undefined {
    return this.#nodes.get(key)?.value;
  }

  delete(key: string): void {
    const node = this.#nodes.get(key);
    if (!node) return;
    this.#nodes.delete(key);
    this.#unlink(node);
  }

  /** Entities from the least to the most recently used, their states made plain: what `recall` takes. */
  remember<Plain>(plain: (value: Value) => Plain): [key: string, state: Plain][] {
    const states: [key: string, state: Plain][] = [];
    for (let node = this.#oldest; node; node = node.newer) {
      states.push([node.key, plain(node.value)]);
    }
    return states;
  }

  /** Takes entities over as the most recently used ones. */
  recall<Plain>(
    memory: readonly (readonly [key: string, state: Plain])[],
    revive: (state: Plain) => Value,
  ): void {
    for (const [key, state] of memory) this.use(key, () => revive(state));
  }

  /** Entities from the least to the most recently used; the one just given may be deleted. */
  *entries(): Generator<[string, Value]> {
    for (let node = this.#oldest; node; ) {
      const next: Node<Value> | null = node.newer;
      yield [node.key, node.value];
      node = next;
    }
  }

  #append(node: Node<Value>): void {
    node.older = this.#newest;
    node.newer = null;
    if (this.#newest) this.#newest.newer = node;
    else this.#oldest = node;
    this.#newest = node;
  }

  #unlink(node: Node<Value>): void {
    if (node.older) node.older.newer = node.newer;
    else this.#oldest = node.newer;
    if (node.newer) node.newer.older = node.older;
    else this.#newest = node.older;
  }
}
