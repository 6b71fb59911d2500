// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../../util/typed.ts";
import { BlockFacts } from "./block-facts.ts";
import { Name, nameOf, numberOf } from "./static-table.ts";
import { FieldWord, Found, HpackTables } from "./tables.ts";
import { BROKEN_TEXT, TEXT_MAX, Texts } from "./texts.ts";

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
/** Whether a field of the block has begun. */
const HAS_FIELD = 10;

const Mode = { FIELD: 0, NUMBER: 1, TEXT_LENGTH: 2, TEXT: 3, BROKEN: 4, CROWDED: 5 } as const;
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
const ALL_ONES = 0xff;
/** Most fields of a segment that are written out: so many, and one for eight bytes. Only who wants to cost time sends more. */
const LITERALS_MAX = 32;
const LITERAL_SHIFT = 3;
/** Numbers of five bytes and more behind the prefix are not believed (§5.1 asks for a limit). */
const LAST_SHIFT = 21;

/**
 * Reads header blocks (RFC 7541) of a fixed number of streams byte by byte, wherever frames and segments cut them, and keeps
 * of them what HTTP/1.x is asked for too: method, status, host. Texts that nobody asks for are passed over.
 */
export class BlockReader {
  readonly tables: HpackTables;
  /** What the blocks say. */
  readonly facts: BlockFacts;
  readonly #words: Int32Array;
  readonly #texts: Texts;
  #literalsLeft = 0;

  constructor(streams: number) {
    this.tables = new HpackTables(streams);
    this.facts = new BlockFacts(streams, this.tables);
    this.#words = new Int32Array(streams * WORDS);
    this.#texts = new Texts(streams);
  }

  /** A segment with so many bytes begins, of whichever stream. */
  beginSegment(lengthBytes: number): void {
    this.#literalsLeft = LITERALS_MAX + (lengthBytes >>> LITERAL_SHIFT);
  }

  /** A block begins on the stream. */
  begin(stream: number): void {
    const words = this.#words;
    // Faster for so few words than a call of `fill`.
    for (let at = stream * WORDS; at < (stream + 1) * WORDS; at++) words[at] = 0;
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
          at = this.#fields(view, at, to, stream, base);
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

  /** True where the block was given up because its fields are more than a segment of its length may hold. */
  isCrowded(stream: number): boolean {
    return i32(this.#words, stream * WORDS + MODE) === Mode.CROWDED;
  }

  /** Reads fields of one byte each, and the first byte of another one; returns where to go on. */
  #fields(view: DataView, from: number, to: number, stream: number, base: number): number {
    const words = this.#words;
    for (let at = from; at < to; at++) {
      const byte = view.getUint8(at);
      if (byte < INDEXED || byte === ALL_ONES) {
        this.#field(byte, stream, base);
        return at + 1;
      }
      words[base + HAS_FIELD] = 1;
      if (this.#indexed(byte & INDEX_MASK, stream)) continue;
      words[base + MODE] = Mode.BROKEN;
      return to;
    }
    return to;
  }

  #field(byte: number, stream: number, base: number): void {
    const words = this.#words;
    if ((byte & INDEXED) !== 0) this.#prefix(byte & INDEX_MASK, INDEX_MASK, Use.INDEXED, stream);
    else if (this.#literalsLeft-- <= 0) words[base + MODE] = Mode.CROWDED;
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
        words[base + MODE] = this.#indexed(value, stream) ? Mode.FIELD : Mode.BROKEN;
        break;
      case Use.NAME_INDEX:
        this.#nameIndex(value, stream, base);
        break;
      case Use.LIMIT:
        this.tables.limit(stream, value);
        words[base + MODE] = Mode.FIELD;
        break;
      default:
        this.#beginText(value, stream, base);
    }
  }

  /** Notes a field of a table; false where no table has it. */
  #indexed(index: number, stream: number): boolean {
    const at = this.tables.find(stream, index);
    if (at < 0) {
      if (at === Found.UNKNOWN) this.facts.note(stream, Name.UNKNOWN, 0, 0);
      return at === Found.UNKNOWN;
    }
    const { fields } = this.tables;
    const name = i32(fields, at + FieldWord.NAME);
    if (name === Name.OTHER) return true;
    const value = i32(fields, at + FieldWord.VALUE);
    this.facts.note(stream, name, value, i32(fields, at + FieldWord.PLACE));
    return true;
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
    const words = this.#words;
    const length = byte & INDEX_MASK;
    words[base + CODE] = (byte & CODED) === 0 ? PLAIN : 0;
    if (length < INDEX_MASK) this.#beginText(length, stream, base);
    else this.#prefix(length, INDEX_MASK, i32(words, base + USE), stream);
  }

  #beginText(length: number, stream: number, base: number): void {
    const words = this.#words;
    words[base + LEFT] = length;
    words[base + LENGTH] = 0;
    words[base + MODE] = Mode.TEXT;
    if (length === 0) this.#endText(stream, base);
  }

  /** Reads what there is of a text; returns where to go on. */
  #text(view: DataView, from: number, to: number, stream: number, base: number): number {
    const words = this.#words;
    const end = Math.min(to, from + i32(words, base + LEFT));
    const length = i32(words, base + LENGTH);
    if (i32(words, base + CODE) === PLAIN) {
      if (this.#isWanted(base)) this.#texts.copy(view, from, end, stream, length);
      words[base + LENGTH] = length + end - from;
    } else if (this.#isWanted(base) || i32(words, base + IS_ADDED) === 1) {
      const texts = this.#texts;
      words[base + CODE] = texts.decode(view, from, end, stream, i32(words, base + CODE), length);
      words[base + LENGTH] = texts.length;
      if (i32(words, base + CODE) === BROKEN_TEXT) {
        words[base + MODE] = Mode.BROKEN;
        return to;
      }
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

  #endText(stream: number, base: number): void {
    const words = this.#words;
    const code = i32(words, base + CODE);
    if (code !== PLAIN && !this.#texts.endsWell(code)) {
      words[base + MODE] = Mode.BROKEN;
      return;
    }
    const { bytes } = this.#texts;
    const textAt = this.#texts.at(stream);
    const length = i32(words, base + LENGTH);
    if (i32(words, base + USE) === Use.NAME) {
      words[base + NAME] = nameOf(bytes, textAt, length);
      words[base + NAME_LENGTH] = length;
      words[base + USE] = Use.VALUE;
      words[base + MODE] = Mode.TEXT_LENGTH;
      return;
    }
    words[base + MODE] = Mode.FIELD;
    const name = i32(words, base + NAME);
    let value = numberOf(name, bytes, textAt, length);
    let place = 0;
    if (name === Name.HOST) {
      value = Math.min(length, TEXT_MAX);
      place = this.tables.putHost(stream, bytes, textAt, value);
    }
    this.facts.note(stream, name, value, place);
    if (i32(words, base + IS_ADDED) === 0) return;
    this.tables.add(stream, name, i32(words, base + NAME_LENGTH), value, length, place);
  }
}
