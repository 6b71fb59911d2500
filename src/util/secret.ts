// SPDX-License-Identifier: AGPL-3.0-or-later
import { inspect } from "node:util";

const MASK = "<secret>";

/** A value that must never be printed: JSON, templates and inspection all show `<secret>`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The only way to the value; call it at the last moment and keep no copy. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
