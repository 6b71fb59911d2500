// SPDX-License-Identifier: AGPL-3.0-or-later

/** Sums of named amounts over about the last `spanMs`, in `parts` parts of which the oldest is forgotten as a whole. */
export class RecentSums<Name extends string> {
  readonly #names: readonly Name[];
  readonly #partMs: number;
  readonly #parts: Float64Array;
  #part = Number.NEGATIVE_INFINITY;

  constructor(names: readonly Name[], spanMs: number, parts: number) {
    this.#names = names;
    this.#partMs = spanMs / parts;
    this.#parts = new Float64Array(names.length * parts);
  }

  /** Adds amounts at a time that never goes back. */
  add(elapsedMs: number, amounts: Readonly<Record<Name, number>>): void {
    this.advance(elapsedMs);
    const at = this.#at(this.#part);
    for (const [index, name] of this.#names.entries()) {
      this.#parts[at + index] = (this.#parts[at + index] ?? 0) + amounts[name];
    }
  }

  /** Forgets what is too old by then. */
  advance(elapsedMs: number): void {
    const part = Math.floor(elapsedMs / this.#partMs);
    const count = this.#parts.length / this.#names.length;
    for (let next = Math.max(this.#part + 1, part - count + 1); next <= part; next++) {
      const at = this.#at(next);
      this.#parts.fill(0, at, at + this.#names.length);
    }
    this.#part = part;
  }

  /** What was added under a name, as far as it is remembered. */
  total(name: Name): number {
    const width = this.#names.length;
    let sum = 0;
    for (let at = this.#names.indexOf(name); at < this.#parts.length; at += width) {
      sum += this.#parts[at] ?? 0;
    }
    return sum;
  }

  #at(part: number): number {
    const width = this.#names.length;
    return (part * width) % this.#parts.length;
  }
}
