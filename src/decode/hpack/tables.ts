// SPDX-License-Identifier: AGPL-3.0-or-later
import { lastingBytes, lastingI32 } from "../../util/lasting.ts";
import { i32, u8 } from "../../util/typed.ts";
import { STATIC_FIELDS } from "./static-table.ts";

/** RFC 7541 §4.1: what a field takes besides its name and value. */
const OVERHEAD = 32;
/** RFC 9113 §6.5.2: size of a table until its encoder says otherwise. */
const INITIAL_LIMIT = 4096;
/** Larger than any limit that is believed. */
const NO_LIMIT = 0x40000000;
/** Fields kept of a table: as many as fit the initial size. Of a larger table the oldest are not known. */
const FIELDS_MAX = INITIAL_LIMIT / OVERHEAD;
const ROW_MASK = FIELDS_MAX - 1;
/** Bytes of hosts kept of a table: the newest. */
const HOST_BYTES = 1024;
/** Words of a field. `VALUE`: position in METHODS, status, or length of a host; `PLACE`: where the host was put. */
const FIELD_WORDS = 4;
export const FieldWord = { NAME: 0, NAME_LENGTH: 1, VALUE: 2, PLACE: 3 } as const;
const { NAME, NAME_LENGTH, VALUE, PLACE } = FieldWord;
/** Fields are counted from 1 on, the static ones first (§2.3.3). */
const FIRST_DYNAMIC = STATIC_FIELDS.length + 1;
const STATIC_WORDS = FIRST_DYNAMIC * FIELD_WORDS;

/** What `find` returns for a field that no table has, and for one that a table may have. */
export const Found = { NONE: -1, UNKNOWN: -2 } as const;

/**
 * Dynamic tables (RFC 7541 §2.3.2) of a fixed number of streams: for each field the number of its name and value, and how
 * long both are, which is all that indices and evictions need. Of a table whose beginning was missed, the fields
 * that came since are known: indices count from the newest.
 */
export class HpackTables {
  /** Words of fields: FieldWord from what `find` returns on. */
  readonly fields: Int32Array;
  readonly hosts: DataView;
  readonly #sizes: Int32Array;
  readonly #counts: Int32Array;
  /** Row of the newest field, of FIELDS_MAX. */
  readonly #newest: Int32Array;
  readonly #totals: Int32Array;
  readonly #limits: Int32Array;
  readonly #isWhole: Uint8Array;
  /** Bytes of hosts ever put, unused ends of the ring among them. */
  readonly #put: Int32Array;

  constructor(streams: number) {
    this.fields = lastingI32(STATIC_WORDS + streams * FIELDS_MAX * FIELD_WORDS);
    this.hosts = new DataView(lastingBytes(streams * HOST_BYTES));
    this.#sizes = new Int32Array(streams * FIELDS_MAX);
    this.#counts = new Int32Array(streams);
    this.#newest = new Int32Array(streams);
    this.#totals = new Int32Array(streams);
    this.#limits = new Int32Array(streams);
    this.#isWhole = new Uint8Array(streams);
    this.#put = new Int32Array(streams);
    for (const [at, field] of STATIC_FIELDS.entries()) {
      this.#write((at + 1) * FIELD_WORDS, field.name, field.nameLength, field.value, 0);
    }
  }

  /** Empties a table. `isWhole`: the stream is seen from its first byte on. */
  reset(stream: number, isWhole: boolean): void {
    this.#counts[stream] = 0;
    this.#totals[stream] = 0;
    this.#limits[stream] = isWhole ? INITIAL_LIMIT : NO_LIMIT;
    this.#isWhole[stream] = isWhole ? 1 : 0;
  }

  /** True while every field of the table is known. */
  isWhole(stream: number): boolean {
    return this.#isWhole[stream] === 1;
  }

  /** Number of fields, and their size by §4.1. */
  count(stream: number): number {
    return i32(this.#counts, stream);
  }

  size(stream: number): number {
    return i32(this.#totals, stream);
  }

  /** Where the words of the field with this index begin, or a Found. */
  find(stream: number, index: number): number {
    if (index < FIRST_DYNAMIC) return index === 0 ? Found.NONE : index * FIELD_WORDS;
    const back = index - FIRST_DYNAMIC;
    if (back >= i32(this.#counts, stream)) {
      return this.isWhole(stream) ? Found.NONE : Found.UNKNOWN;
    }
    const row = (i32(this.#newest, stream) - back) & ROW_MASK;
    return STATIC_WORDS + (stream * FIELDS_MAX + row) * FIELD_WORDS;
  }

  /** Adds a field, for which older ones make room (§4.4); `place` is that of a host. */
  add(
    stream: number,
    name: number,
    nameLength: number,
    value: number,
    valueLength: number,
    place: number,
  ): void {
    const size = nameLength + valueLength + OVERHEAD;
    const limit = i32(this.#limits, stream);
    this.#evict(stream, limit - size);
    if (size > limit) return;
    if (i32(this.#counts, stream) === FIELDS_MAX) {
      this.#drop(stream);
      this.#isWhole[stream] = 0;
    }
    const row = (i32(this.#newest, stream) + 1) & ROW_MASK;
    const at = stream * FIELDS_MAX + row;
    this.#newest[stream] = row;
    this.#counts[stream] = i32(this.#counts, stream) + 1;
    this.#totals[stream] = i32(this.#totals, stream) + size;
    this.#sizes[at] = size;
    this.#write(STATIC_WORDS + at * FIELD_WORDS, name, nameLength, value, place);
  }

  /** The encoder has changed the size of its table (§4.3). */
  limit(stream: number, limit: number): void {
    this.#limits[stream] = limit;
    this.#evict(stream, limit);
  }

  /** Keeps a host of at most 255 bytes; returns its place. */
  putHost(stream: number, from: Uint8Array, at: number, length: number): number {
    let place = i32(this.#put, stream);
    const left = HOST_BYTES - (place & (HOST_BYTES - 1));
    if (left < length) place += left;
    const to = this.hostAt(stream, place);
    for (let i = 0; i < length; i++) this.hosts.setUint8(to + i, u8(from, at + i));
    this.#put[stream] = place + length;
    return place;
  }

  /** True while newer hosts have not taken the place. */
  hasHost(stream: number, place: number): boolean {
    return ((i32(this.#put, stream) - place) | 0) <= HOST_BYTES;
  }

  /** Where a host begins in `hosts`. */
  hostAt(stream: number, place: number): number {
    return stream * HOST_BYTES + (place & (HOST_BYTES - 1));
  }

  #evict(stream: number, limit: number): void {
    while (i32(this.#counts, stream) > 0 && i32(this.#totals, stream) > limit) this.#drop(stream);
  }

  /** Drops the oldest field. */
  #drop(stream: number): void {
    const count = i32(this.#counts, stream) - 1;
    const row = (i32(this.#newest, stream) - count) & ROW_MASK;
    this.#totals[stream] = i32(this.#totals, stream) - i32(this.#sizes, stream * FIELDS_MAX + row);
    this.#counts[stream] = count;
  }

  #write(at: number, name: number, nameLength: number, value: number, place: number): void {
    const { fields } = this;
    fields[at + NAME] = name;
    fields[at + NAME_LENGTH] = nameLength;
    fields[at + VALUE] = value;
    fields[at + PLACE] = place;
  }
}
