// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../../util/typed.ts";
import { BlockFacts } from "./block-facts.ts";
import { Huffman, Step } from "./huffman.ts";
import { Name, nameOf, numberOf } from "./static-table.ts";
import { FieldWord, Found, HpackTables } from "./tables.ts";

/** Bytes of a name or value that are looked at; longer hosts are cut. */
const TEXT_MAX = 255;
const TEXT_ROOM = 256;
/** Words of a stream. */
const WORDS = 11;
/** What the next byte is, a Mode; what a number or text is for, a Use. */
const MODE = 0;
const USE = 1;
/** A number so far, and the bits of it that came. */
const VALUE = 2;
const SHIFT = 3;
/** The field so far: whether it goes into the table, its Name, and the length of that. */
const IS_ADDED = 4;
const NAME = 5;
const NAME_LENGTH = 6;
/** The text so far: bytes left, bytes decoded, and PLAIN or the state of the Huffman code. */
const LEFT = 7;
const LENGTH = 8;
const CODE = 9;
/** Whether the block has begun a field. */
const HAS_FIELD = 10;

const Mode = { FIELD: 0, NUMBER: 1, TEXT_LENGTH: 2, TEXT: 3, BROKEN: 4 } as const;
const Use = { INDEXED: 0, NAME_INDEX: 1, LIMIT: 2, NAME: 3, VALUE: 4 } as const;
const PLAIN = -1;
const CODED = 0x80;
/** First bytes of RFC 7541 §6: a bit that tells them apart, and the prefix of the number in them. */
const INDEXED = 0x80;
const ADDED = 0x40;
const LIMIT = 0x20;
const INDEX_MASK = 0x7f;
const ADDED_MASK = 0x3f;
const LIMIT_MASK = 0x1f;
const PLAIN_MASK = 0x0f;
const MORE = 0x80;
/** Numbers of five bytes and more behind the prefix are not believed (§5.1 asks for a limit). */
const LAST_SHIFT = 21;

const { STATE_MASK, BYTE_SHIFT, HAS_BYTE, FAILED } = Step;

/**
 * Reads header blocks (RFC 7541) of a fixed number of streams byte by byte, wherever frames and segments cut them, and keeps
 * of them what HTTP/1.x is asked for too: method, status, host. Texts that nobody asks for are passed over.
 */
export class BlockReader {
  readonly tables: HpackTables;
  /** What the blocks say. */
  readonly facts: BlockFacts;
  readonly #words: Int32Array;
  readonly #texts: Uint8Array;
  readonly #huffman = new Huffman();

  constructor(streams: number) {
    this.tables = new HpackTables(streams);
    this.facts = new BlockFacts(streams, this.tables);
    this.#words = new Int32Array(streams * WORDS);
    this.#texts = new Uint8Array(streams * TEXT_ROOM);
  }

  /** A block begins on the stream. */
  begin(stream: number): void {
    const words = this.#words;
    const base = stream * WORDS;
    words.fill(0, base, base + WORDS);
    this.facts.begin(stream);
  }

  /** Reads `[from, to)` of `view`, the next bytes of the block. */
  read(view: DataView, from: number, to: number, stream: number): void {
    const words = this.#words;
    const base = stream * WORDS;
    let at = from;
    while (at < to) {
      switch (i32(words, base + MODE)) {
        case Mode.FIELD:
          this.#field(view.getUint8(at++), stream, base);
          break;
        case Mode.NUMBER:
          this.#number(view.getUint8(at++), stream, base);
          break;
        case Mode.TEXT_LENGTH:
          this.#textLength(view.getUint8(at++), stream, base);
          break;
        case Mode.TEXT:
          at = this.#text(view, at, to, stream, base);
          break;
        default:
          return;
      }
    }
  }

  /** The block ends; false where it was no block, and the table means nothing any more. */
  end(stream: number): boolean {
    return i32(this.#words, stream * WORDS + MODE) === Mode.FIELD;
  }

  #field(byte: number, stream: number, base: number): void {
    const words = this.#words;
    if ((byte & INDEXED) !== 0) this.#prefix(byte & INDEX_MASK, INDEX_MASK, Use.INDEXED, stream);
    else if ((byte & ADDED) !== 0) {
      words[base + IS_ADDED] = 1;
      this.#prefix(byte & ADDED_MASK, ADDED_MASK, Use.NAME_INDEX, stream);
    } else if ((byte & LIMIT) !== 0) {
      // §4.2: at the beginning of a block only.
      if (i32(words, base + HAS_FIELD) === 1) words[base + MODE] = Mode.BROKEN;
      else this.#prefix(byte & LIMIT_MASK, LIMIT_MASK, Use.LIMIT, stream);
      return;
    } else {
      words[base + IS_ADDED] = 0;
      this.#prefix(byte & PLAIN_MASK, PLAIN_MASK, Use.NAME_INDEX, stream);
    }
    words[base + HAS_FIELD] = 1;
  }

  /** A number (§5.1) begins; `mask` is what the largest prefix would be, which means that bytes follow. */
  #prefix(prefix: number, mask: number, use: number, stream: number): void {
    const words = this.#words;
    const base = stream * WORDS;
    words[base + USE] = use;
    if (prefix < mask) {
      this.#use(prefix, stream, base);
      return;
    }
    words[base + MODE] = Mode.NUMBER;
    words[base + VALUE] = prefix;
    words[base + SHIFT] = 0;
  }

  #number(byte: number, stream: number, base: number): void {
    const words = this.#words;
    const shift = i32(words, base + SHIFT);
    const value = i32(words, base + VALUE) + ((byte & ~MORE) << shift);
    words[base + VALUE] = value;
    words[base + SHIFT] = shift + 7;
    if ((byte & MORE) === 0) this.#use(value, stream, base);
    else if (shift === LAST_SHIFT) words[base + MODE] = Mode.BROKEN;
  }

  #use(value: number, stream: number, base: number): void {
    const words = this.#words;
    switch (i32(words, base + USE)) {
      case Use.INDEXED:
        this.#indexed(value, stream, base);
        break;
      case Use.NAME_INDEX:
        this.#nameIndex(value, stream, base);
        break;
      case Use.LIMIT:
        this.tables.limit(stream, value);
        words[base + MODE] = Mode.FIELD;
        break;
      default:
        words[base + LEFT] = value;
        words[base + LENGTH] = 0;
        words[base + MODE] = Mode.TEXT;
        if (value === 0) this.#endText(stream, base);
    }
  }

  #indexed(index: number, stream: number, base: number): void {
    const words = this.#words;
    const { fields } = this.tables;
    const at = this.tables.find(stream, index);
    words[base + MODE] = at === Found.NONE ? Mode.BROKEN : Mode.FIELD;
    if (at === Found.UNKNOWN) this.facts.note(stream, Name.UNKNOWN, 0, 0);
    if (at < 0) return;
    const value = i32(fields, at + FieldWord.VALUE);
    this.facts.note(
      stream,
      i32(fields, at + FieldWord.NAME),
      value,
      i32(fields, at + FieldWord.PLACE),
    );
  }

  #nameIndex(index: number, stream: number, base: number): void {
    const words = this.#words;
    words[base + MODE] = Mode.TEXT_LENGTH;
    words[base + USE] = index === 0 ? Use.NAME : Use.VALUE;
    if (index === 0) return;
    const at = this.tables.find(stream, index);
    if (at === Found.NONE) words[base + MODE] = Mode.BROKEN;
    const { fields } = this.tables;
    words[base + NAME] = at < 0 ? Name.UNKNOWN : i32(fields, at + FieldWord.NAME);
    words[base + NAME_LENGTH] = at < 0 ? 0 : i32(fields, at + FieldWord.NAME_LENGTH);
  }

  #textLength(byte: number, stream: number, base: number): void {
    this.#words[base + CODE] = (byte & CODED) === 0 ? PLAIN : 0;
    this.#prefix(byte & INDEX_MASK, INDEX_MASK, i32(this.#words, base + USE), stream);
  }

  /** Reads what there is of a text; returns where to go on. */
  #text(view: DataView, from: number, to: number, stream: number, base: number): number {
    const words = this.#words;
    const end = Math.min(to, from + i32(words, base + LEFT));
    const isPlain = i32(words, base + CODE) === PLAIN;
    if (isPlain) {
      if (this.#isWanted(base)) this.#copy(view, from, end, stream, base);
      words[base + LENGTH] = i32(words, base + LENGTH) + end - from;
    } else if (this.#isWanted(base) || i32(words, base + IS_ADDED) === 1) {
      if (!this.#decode(view, from, end, stream, base)) return to;
    }
    words[base + LEFT] = i32(words, base + LEFT) - (end - from);
    if (i32(words, base + LEFT) === 0) this.#endText(stream, base);
    return end;
  }

  /** True for a text of which the bytes matter, not just their number. */
  #isWanted(base: number): boolean {
    const words = this.#words;
    if (i32(words, base + USE) === Use.NAME) return true;
    const name = i32(words, base + NAME);
    return name === Name.METHOD || name === Name.STATUS || name === Name.HOST;
  }

  #copy(view: DataView, from: number, end: number, stream: number, base: number): void {
    const length = i32(this.#words, base + LENGTH);
    const to = stream * TEXT_ROOM + length;
    const last = Math.min(end, from + TEXT_MAX - length);
    for (let at = from; at < last; at++) this.#texts[to + at - from] = view.getUint8(at);
  }

  #decode(view: DataView, from: number, end: number, stream: number, base: number): boolean {
    const words = this.#words;
    const huffman = this.#huffman;
    const textAt = stream * TEXT_ROOM;
    let state = i32(words, base + CODE);
    let length = i32(words, base + LENGTH);
    for (let half = 2 * from; half < 2 * end; half++) {
      const byte = view.getUint8(half >>> 1);
      const step = huffman.step(state, (half & 1) === 0 ? byte >>> 4 : byte & 0xf);
      state = step & STATE_MASK;
      if (step < HAS_BYTE) continue;
      if (step === FAILED) {
        words[base + MODE] = Mode.BROKEN;
        return false;
      }
      if (length < TEXT_MAX) this.#texts[textAt + length] = (step >>> BYTE_SHIFT) & 0xff;
      length++;
    }
    words[base + CODE] = state;
    words[base + LENGTH] = length;
    return true;
  }

  #endText(stream: number, base: number): void {
    const words = this.#words;
    const code = i32(words, base + CODE);
    if (code !== PLAIN && !this.#huffman.endsWell(code)) {
      words[base + MODE] = Mode.BROKEN;
      return;
    }
    const textAt = stream * TEXT_ROOM;
    const length = i32(words, base + LENGTH);
    if (i32(words, base + USE) === Use.NAME) {
      words[base + NAME] = nameOf(this.#texts, textAt, length);
      words[base + NAME_LENGTH] = length;
      words[base + USE] = Use.VALUE;
      words[base + MODE] = Mode.TEXT_LENGTH;
      return;
    }
    words[base + MODE] = Mode.FIELD;
    const name = i32(words, base + NAME);
    let value = numberOf(name, this.#texts, textAt, length);
    let place = 0;
    if (name === Name.HOST) {
      value = Math.min(length, TEXT_MAX);
      place = this.tables.putHost(stream, this.#texts, textAt, value);
    }
    this.facts.note(stream, name, value, place);
    if (i32(words, base + IS_ADDED) === 0) return;
    this.tables.add(stream, name, i32(words, base + NAME_LENGTH), value, length, place);
  }
}
