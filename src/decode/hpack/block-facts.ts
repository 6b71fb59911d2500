// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../../util/typed.ts";
import { Field } from "../http-field.ts";
import { Name } from "./static-table.ts";
import type { HpackTables } from "./tables.ts";

/** Words of a stream. */
const WORDS = 6;
const METHOD = 0;
const STATUS = 1;
const FIELDS = 2;
const HOST_PLACE = 3;
const HOST_LENGTH = 4;
const HAS_UNKNOWN = 5;

/** What the fields of each stream's last header block have said so far. */
export class BlockFacts {
  readonly #words: Int32Array;
  readonly #tables: HpackTables;

  constructor(streams: number, tables: HpackTables) {
    this.#words = new Int32Array(streams * WORDS);
    this.#tables = tables;
  }

  /** A block begins. */
  begin(stream: number): void {
    const words = this.#words;
    const base = stream * WORDS;
    words.fill(0, base, base + WORDS);
    words[base + METHOD] = -1;
  }

  /** A field: its Name, and its value as FieldWord has it. */
  note(stream: number, name: number, value: number, place: number): void {
    const words = this.#words;
    const base = stream * WORDS;
    switch (name) {
      case Name.METHOD:
        words[base + METHOD] = value;
        break;
      case Name.STATUS:
        words[base + STATUS] = value;
        break;
      case Name.HOST:
        // `:authority` comes before `host`, and is the one that counts (RFC 9113 §8.3.1).
        if (value === 0 || i32(words, base + HOST_LENGTH) > 0) break;
        words[base + FIELDS] = i32(words, base + FIELDS) | Field.HOST;
        words[base + HOST_PLACE] = place;
        words[base + HOST_LENGTH] = value;
        break;
      case Name.USER_AGENT:
        words[base + FIELDS] = i32(words, base + FIELDS) | Field.USER_AGENT;
        break;
      case Name.UNKNOWN:
        words[base + HAS_UNKNOWN] = 1;
        break;
    }
  }

  /** Position in METHODS of the block's method, -1 without one. */
  method(stream: number): number {
    return i32(this.#words, stream * WORDS + METHOD);
  }

  /** The block's status, 0 without one. */
  status(stream: number): number {
    return i32(this.#words, stream * WORDS + STATUS);
  }

  /** Bits of Field. */
  fields(stream: number): number {
    return i32(this.#words, stream * WORDS + FIELDS);
  }

  /** True where the block names fields that the table has from a time that was not seen. */
  hasUnknown(stream: number): boolean {
    return i32(this.#words, stream * WORDS + HAS_UNKNOWN) === 1;
  }

  /** Where the block's host begins in `hosts` of the tables. */
  hostAt(stream: number): number {
    return this.#tables.hostAt(stream, i32(this.#words, stream * WORDS + HOST_PLACE));
  }

  /** Its length, 0 without one, or where newer hosts have taken its place. */
  hostLength(stream: number): number {
    const base = stream * WORDS;
    const isKept = this.#tables.hasHost(stream, i32(this.#words, base + HOST_PLACE));
    return isKept ? i32(this.#words, base + HOST_LENGTH) : 0;
  }
}
