// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../../util/typed.ts";
import { Field } from "../http-field.ts";
import { Name } from "./static-table.ts";
import type { HpackTables } from "./tables.ts";

/** Words of a stream: what the fields of its block have said so far. */
const WORDS = 6;
const METHOD = 0;
const STATUS = 1;
const FIELDS = 2;
const HOST_PLACE = 3;
const HOST_LENGTH = 4;
const HAS_UNKNOWN = 5;

/** What the header block at hand of each of a fixed number of streams says that HTTP/1.x is asked for, too. */
export class BlockFacts {
  readonly #tables: HpackTables;
  readonly #words: Int32Array;

  constructor(streams: number, tables: HpackTables) {
    this.#tables = tables;
    this.#words = new Int32Array(streams * WORDS);
  }

  /** A block begins on the stream. */
  begin(stream: number): void {
    const base = stream * WORDS;
    const words = this.#words;
    words[base + METHOD] = -1;
    for (let at = base + METHOD + 1; at < base + WORDS; at++) words[at] = 0;
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

  /** Place of the block's host in the tables; its length is 0 without one, or when it is too long ago. */
  hostPlace(stream: number): number {
    return i32(this.#words, stream * WORDS + HOST_PLACE);
  }

  hostLength(stream: number): number {
    const base = stream * WORDS;
    const isKept = this.#tables.hasHost(stream, i32(this.#words, base + HOST_PLACE));
    return isKept ? i32(this.#words, base + HOST_LENGTH) : 0;
  }

  /** A field of the block: its Name, its value as a number or length, and where a host is kept. */
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
}
