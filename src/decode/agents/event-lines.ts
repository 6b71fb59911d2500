// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../../util/typed.ts";
import { lineFeedAt } from "../text-line.ts";
import { HASH_START, hashByte, textHash } from "./text-hash.ts";

/** Told of server-sent events as they come. */
export interface EventSink {
  /** Bytes of an event's data; they come in any pieces. */
  data(view: DataView, at: number, end: number, place: number): void;
  /** An event is over; `endpoint` is the hash of the path in one of this name, else 0. False to read no more. */
  event(place: number, endpoint: number): boolean;
}

const WORDS = 6;
const STATE = 0;
/** Hash of the line's field name so far. */
const FIELD = 1;
/** Hash of the event's name, 0 without one. */
const NAME = 2;
const PATH = 3;
/** Slashes still to come before the path of a URL. */
const SLASHES = 4;
const HAS_FIELDS = 5;

const State = { DONE: 0, FIELD: 1, SPACE: 2, DATA: 3, NAME: 4, OTHER: 5 } as const;
const DATA_FIELD = textHash("data");
const EVENT_FIELD = textHash("event");
/** The first event of MCP 2024-11-05 names the path that the client is to post to. */
const ENDPOINT = textHash("endpoint");
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const SLASH = 0x2f;
const COLON = 0x3a;
/** `http://host` has so many before its path. */
const SLASHES_OF_URL = 3;

/** Reads lines of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) in any pieces. */
export class EventLines {
  readonly #words: Int32Array;
  readonly #sink: EventSink;

  constructor(places: number, sink: EventSink) {
    this.#words = new Int32Array(places * WORDS);
    this.#sink = sink;
  }

  start(place: number): void {
    this.#begin(place * WORDS);
  }

  /** Reads the next bytes; returns false where the sink wants no more. */
  read(view: DataView, from: number, end: number, place: number): boolean {
    const words = this.#words;
    const base = place * WORDS;
    let at = from;
    while (at < end) {
      switch (i32(words, base + STATE)) {
        case State.DONE:
          return false;
        case State.FIELD:
          this.#name(view.getUint8(at++), base, place);
          break;
        case State.SPACE:
          this.#enter(base);
          if (view.getUint8(at) === SPACE) at++;
          break;
        default:
          at = this.#value(view, at, end, base, place);
      }
    }
    return i32(words, base + STATE) !== State.DONE;
  }

  #begin(base: number): void {
    const words = this.#words;
    words[base + STATE] = State.FIELD;
    words[base + FIELD] = HASH_START;
    words[base + NAME] = 0;
    words[base + PATH] = HASH_START;
    words[base + SLASHES] = -1;
    words[base + HAS_FIELDS] = 0;
  }

  #name(byte: number, base: number, place: number): void {
    const words = this.#words;
    if (byte === COLON) words[base + STATE] = State.SPACE;
    else if (byte === LF) this.#endLine(base, place);
    else if (byte !== CR) words[base + FIELD] = hashByte(i32(words, base + FIELD), byte);
  }

  /** Behind the colon: which field's value follows. */
  #enter(base: number): void {
    const words = this.#words;
    const field = i32(words, base + FIELD);
    words[base + HAS_FIELDS] = 1;
    words[base + STATE] = State.OTHER;
    if (field === DATA_FIELD) words[base + STATE] = State.DATA;
    if (field !== EVENT_FIELD) return;
    words[base + STATE] = State.NAME;
    words[base + NAME] = HASH_START;
  }

  #value(view: DataView, at: number, end: number, base: number, place: number): number {
    const words = this.#words;
    const lineEnd = lineFeedAt(view, at, end);
    const to = lineEnd < 0 ? end : lineEnd;
    if (i32(words, base + STATE) === State.NAME) {
      for (let i = at; i < to; i++) {
        const byte = view.getUint8(i);
        if (byte !== CR) words[base + NAME] = hashByte(i32(words, base + NAME), byte);
      }
    } else if (i32(words, base + STATE) === State.DATA) {
      if (i32(words, base + NAME) === ENDPOINT) this.#path(view, at, to, base);
      this.#sink.data(view, at, to, place);
    }
    if (lineEnd < 0) return end;
    this.#endLine(base, place);
    return lineEnd + 1;
  }

  /** The data of an endpoint event: a path, or a URL that holds it. */
  #path(view: DataView, at: number, end: number, base: number): void {
    const words = this.#words;
    for (let i = at; i < end; i++) {
      const byte = view.getUint8(i);
      if (i32(words, base + SLASHES) < 0) {
        words[base + SLASHES] = byte === SLASH ? 0 : SLASHES_OF_URL;
      }
      const slashes = i32(words, base + SLASHES);
      if (slashes > 0) words[base + SLASHES] = byte === SLASH ? slashes - 1 : slashes;
      if (i32(words, base + SLASHES) > 0 || byte === CR) continue;
      words[base + PATH] = hashByte(i32(words, base + PATH), byte);
    }
  }

  #endLine(base: number, place: number): void {
    const words = this.#words;
    const isBlank =
      i32(words, base + STATE) === State.FIELD && i32(words, base + FIELD) === HASH_START;
    words[base + STATE] = State.FIELD;
    words[base + FIELD] = HASH_START;
    if (!isBlank || i32(words, base + HAS_FIELDS) === 0) return;
    const endpoint = i32(words, base + NAME) === ENDPOINT ? i32(words, base + PATH) : 0;
    const goesOn = this.#sink.event(place, endpoint);
    this.#begin(base);
    if (!goesOn) words[base + STATE] = State.DONE;
  }
}
