// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32, u8 } from "../../util/typed.ts";
import { JsonText } from "./json-text.ts";

/** What to do with the value of a member. */
export const Take = { STOP: 0, SKIP: 1, READ: 2, ENTER: 3 } as const;

/** Told of the members of JSON messages, and of those of one object in them; keys and texts come as hashes. */
export interface MemberSink {
  /** What to do with the value of this key; `level` is 0 in the message and 1 in what was entered. A Take. */
  key(place: number, level: number, key: number): number;
  /** The value that was to be read: `text` is its hash, 0 for an object. False to read no more. */
  value(place: number, level: number, key: number, text: number): boolean;
  /** A message is over. False to read no more. */
  end(place: number): boolean;
}

/** As much is read of a body, or of an event of a stream. */
export const WINDOW_BYTES = 65_536;

const WORDS = 8;
const STATE = 0;
/** How many containers deep the reader is in what it skips. */
const DEPTH = 1;
const LEVEL = 2;
const IN_BATCH = 3;
const KEY = 4;
const TAKE = 5;
const LEFT = 6;
/** 1 behind a backslash in a string that is skipped. */
const ESCAPED = 7;

const State = {
  DONE: 0,
  START: 1,
  BATCH: 2,
  KEY: 3,
  KEY_TEXT: 4,
  COLON: 5,
  VALUE: 6,
  VALUE_TEXT: 7,
  STRING: 8,
  SCALAR: 9,
  NESTED: 10,
  NESTED_STRING: 11,
  AFTER: 12,
} as const;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** 1 for white space of JSON (RFC 8259 §2). */
const SPACES = new Uint8Array(256);
for (const space of " \t\r\n") SPACES[space.charCodeAt(0)] = 1;
/** 1 for what changes how deep a value lies, 2 for a quote. */
const SHAPES = new Uint8Array(256);
for (const shape of "{}[]") SHAPES[shape.charCodeAt(0)] = 1;
SHAPES[QUOTE] = 2;

/**
 * Reads the outermost members of JSON messages, alone or in a batch, as the bytes come: in any pieces, without keeping
 * any of it, each byte once, and no more than a window. What is not JSON ends the reading.
 */
export class JsonMembers {
  readonly #words: Int32Array;
  readonly #text: JsonText;
  readonly #sink: MemberSink;

  constructor(places: number, sink: MemberSink) {
    this.#words = new Int32Array(places * WORDS);
    this.#text = new JsonText(places);
    this.#sink = sink;
  }

  /** Begins a body at this place. */
  start(place: number): void {
    const at = place * WORDS;
    this.#words.fill(0, at, at + WORDS);
    this.#words[at + STATE] = State.START;
    this.#words[at + LEFT] = WINDOW_BYTES;
  }

  /** Reads the next bytes; returns false where nothing more of this body is of interest. */
  read(view: DataView, from: number, to: number, place: number): boolean {
    const words = this.#words;
    const base = place * WORDS;
    const left = i32(words, base + LEFT);
    const end = Math.min(to, from + left);
    words[base + LEFT] = left - Math.max(0, end - from);
    let at = from;
    while (at < end && i32(words, base + STATE) !== State.DONE) {
      at = this.#step(view, at, end, base, place);
    }
    if (end < to || i32(words, base + LEFT) === 0) words[base + STATE] = State.DONE;
    return i32(words, base + STATE) !== State.DONE;
  }

  /** Reads one token, or what there is of it; returns where to go on. */
  #step(view: DataView, at: number, end: number, base: number, place: number): number {
    const words = this.#words;
    switch (i32(words, base + STATE)) {
      case State.KEY_TEXT:
      case State.VALUE_TEXT:
        return this.#readText(view, at, end, base, place);
      case State.STRING:
      case State.NESTED_STRING:
        return this.#skipString(view, at, end, base);
      case State.NESTED:
        return this.#skipNested(view, at, end, base);
      default: {
        const byte = view.getUint8(at);
        const isSpace = u8(SPACES, byte) !== 0;
        if (!isSpace) this.#token(byte, base, place);
        else if (i32(words, base + STATE) === State.SCALAR) words[base + STATE] = State.AFTER;
        return at + 1;
      }
    }
  }

  /** A character between strings that is no white space. */
  #token(byte: number, base: number, place: number): void {
    const words = this.#words;
    switch (i32(words, base + STATE)) {
      case State.START:
      case State.BATCH:
        this.#open(byte, base);
        break;
      case State.KEY:
        this.#key(byte, base, place);
        break;
      case State.COLON:
        words[base + STATE] = byte === COLON ? State.VALUE : State.DONE;
        break;
      case State.VALUE:
        this.#value(byte, base, place);
        break;
      default:
        // Behind a value, or in a number or word, whose letters nobody checks.
        if (byte === COMMA) words[base + STATE] = State.KEY;
        else if (byte === CLOSE_BRACE) this.#close(base, place);
        else if (i32(words, base + STATE) === State.AFTER || !isScalar(byte)) this.#stop(base);
    }
  }

  /** Where a message may begin. */
  #open(byte: number, base: number): void {
    const words = this.#words;
    const inBatch = i32(words, base + IN_BATCH) === 1;
    if (byte === OPEN_BRACE) {
      words[base + STATE] = State.KEY;
    } else if (byte === OPEN_BRACKET && !inBatch) {
      words[base + IN_BATCH] = 1;
      words[base + STATE] = State.BATCH;
    } else if (byte !== COMMA || !inBatch) {
      this.#stop(base);
    }
  }

  /** Where a key may begin, or the message end. */
  #key(byte: number, base: number, place: number): void {
    if (byte === CLOSE_BRACE) this.#close(base, place);
    else if (byte !== QUOTE) this.#stop(base);
    else {
      this.#text.begin(place);
      this.#words[base + STATE] = State.KEY_TEXT;
    }
  }

  #value(byte: number, base: number, place: number): void {
    const words = this.#words;
    const take = i32(words, base + TAKE);
    if (byte === QUOTE) {
      words[base + STATE] = take === Take.READ ? State.VALUE_TEXT : State.STRING;
      if (take === Take.READ) this.#text.begin(place);
    } else if (byte === OPEN_BRACE && take === Take.ENTER) {
      words[base + LEVEL] = 1;
      words[base + STATE] = State.KEY;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      words[base + DEPTH] = 1;
      words[base + STATE] = State.NESTED;
      if (byte === OPEN_BRACE && take === Take.READ) this.#tell(0, base, place);
    } else {
      words[base + STATE] = isScalar(byte) ? State.SCALAR : State.DONE;
    }
  }

  /** Behind the brace that closes a message, or what was entered in it. */
  #close(base: number, place: number): void {
    const words = this.#words;
    if (i32(words, base + LEVEL) === 1) {
      words[base + LEVEL] = 0;
      words[base + STATE] = State.AFTER;
      return;
    }
    const goesOn = this.#sink.end(place) && i32(words, base + IN_BATCH) === 1;
    words[base + STATE] = goesOn ? State.BATCH : State.DONE;
  }

  #readText(view: DataView, at: number, end: number, base: number, place: number): number {
    const words = this.#words;
    const next = this.#text.read(view, at, end, place);
    if (next < 0) return end;
    const hash = this.#text.hash(place);
    if (i32(words, base + STATE) === State.VALUE_TEXT) {
      words[base + STATE] = State.AFTER;
      this.#tell(hash === 0 ? 1 : hash, base, place);
      return next;
    }
    words[base + KEY] = hash;
    const take = this.#sink.key(place, i32(words, base + LEVEL), hash);
    words[base + TAKE] = take;
    words[base + STATE] = take === Take.STOP ? State.DONE : State.COLON;
    return next;
  }

  #skipString(view: DataView, at: number, end: number, base: number): number {
    const words = this.#words;
    let escaped = i32(words, base + ESCAPED) === 1;
    for (let i = at; i < end; i++) {
      const byte = view.getUint8(i);
      if (escaped) escaped = false;
      else if (byte === BACKSLASH) escaped = true;
      else if (byte === QUOTE) {
        words[base + ESCAPED] = 0;
        const isNested = i32(words, base + STATE) === State.NESTED_STRING;
        words[base + STATE] = isNested ? State.NESTED : State.AFTER;
        return i + 1;
      }
    }
    words[base + ESCAPED] = escaped ? 1 : 0;
    return end;
  }

  #skipNested(view: DataView, at: number, end: number, base: number): number {
    const words = this.#words;
    for (let i = at; i < end; i++) {
      const byte = view.getUint8(i);
      const shape = u8(SHAPES, byte);
      if (shape === 0) continue;
      if (shape === 2) {
        words[base + STATE] = State.NESTED_STRING;
        return i + 1;
      }
      const opens = byte === OPEN_BRACE || byte === OPEN_BRACKET;
      const depth = i32(words, base + DEPTH) + (opens ? 1 : -1);
      words[base + DEPTH] = depth;
      if (depth > 0) continue;
      words[base + STATE] = State.AFTER;
      return i + 1;
    }
    return end;
  }

  #tell(text: number, base: number, place: number): void {
    const words = this.#words;
    const goesOn = this.#sink.value(place, i32(words, base + LEVEL), i32(words, base + KEY), text);
    if (!goesOn) this.#stop(base);
  }

  #stop(base: number): void {
    this.#words[base + STATE] = State.DONE;
  }
}

/** True for what numbers and the words true, false and null are written with. */
function isScalar(byte: number): boolean {
  return byte !== CLOSE_BRACKET && byte !== COLON && byte !== QUOTE && u8(SHAPES, byte) === 0;
}
