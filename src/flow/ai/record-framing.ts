// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { i32, u8 } from "../../util/typed.ts";
import { WATCHED } from "./watch-rows.ts";

/** Record header (RFC 8446 §5.1): content type, version, length. */
const RECORD_HEADER_LENGTH = 5;
const LENGTH_AT = 3;
const MAJOR_VERSION = 3;
const FIRST_TYPE = 20;
/** Heartbeat (RFC 6520), the highest type in use. */
const LAST_TYPE = 24;
export const APPLICATION_DATA = 23;
export const HANDSHAKE = 22;
/** RFC 5246 §6.2.3. */
const LENGTH_MAX = 16_384 + 2_048;
/** An authentication tag, without which nothing goes over a connection. */
const DATA_LENGTH_MIN = 16;

/** Sides of a flow, by which what is kept is indexed. */
const SIDES = 2;
/** Segments in a row in which no record begins, after which it is given up. */
const TRIES = 64;

/** What is known of where records begin. */
const Framing = { NONE: 0, FRAMED: 1, LOST: 2 } as const;
const { NONE, FRAMED, LOST } = Framing;

/** Told what the framing finds, in the order of the stream. */
export interface RecordSink {
  /** A record of `bytes`, its header among them, is whole. */
  record(row: number, side: number, type: number, bytes: number): void;
  /** Records were missed; the next one begins with this segment. */
  resumed(row: number): void;
  /** It cannot be told any more where records begin. */
  gaveUp(row: number): void;
}

/**
 * Finds the records in the TLS streams of watched flows by their headers alone. Nothing is kept of a stream but where its
 * next byte is and how much of a record is still to come. Bytes that come twice are left out; bytes that do not come
 * matter only where a header is among them: then the next segment that begins like a record goes on.
 */
export class RecordFraming {
  readonly #sink: RecordSink;
  readonly #state = new Uint8Array(SIDES * WATCHED);
  readonly #next = new Int32Array(SIDES * WATCHED);
  /** Bytes of the present record that are still to come, and its length with its header. */
  readonly #left = new Int32Array(SIDES * WATCHED);
  readonly #bytes = new Int32Array(SIDES * WATCHED);
  readonly #type = new Uint8Array(SIDES * WATCHED);
  /** Bytes of a header that spans segments, and how many there are. */
  readonly #header = new Uint8Array(SIDES * WATCHED * RECORD_HEADER_LENGTH);
  readonly #have = new Uint8Array(SIDES * WATCHED);
  readonly #tries = new Uint8Array(SIDES * WATCHED);

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  /** Forgets both streams of a row. */
  begin(row: number): void {
    this.#reset(SIDES * row, NONE);
    this.#reset(SIDES * row + 1, NONE);
  }

  /** The stream of `side` goes on behind this segment, with a record. */
  startBehind(row: number, side: number, packet: Packet): void {
    const at = SIDES * row + side;
    this.#reset(at, FRAMED);
    this.#next[at] = (packet.tcpSequence + packet.payloadLength) | 0;
  }

  /** Reads a segment of a row's flow. */
  take(row: number, packet: Packet): void {
    const at = SIDES * row + packet.flowSide;
    const { tcpSequence, payloadLength } = packet;
    if (u8(this.#state, at) === NONE) {
      this.#reset(at, FRAMED);
      this.#next[at] = tcpSequence;
    }
    const ahead = (tcpSequence - i32(this.#next, at)) | 0;
    if (ahead + payloadLength <= 0) return;
    this.#next[at] = (tcpSequence + payloadLength) | 0;
    if (ahead > 0) this.#miss(at, ahead);
    const from = packet.payloadAt + (ahead < 0 ? -ahead : 0);
    if (u8(this.#state, at) === LOST && !this.#resumes(at, packet, from)) return;
    this.#read(at, packet.view, from, packet.payloadEnd);
    // What the capture cut off.
    const captured = Math.max(from, packet.payloadEnd) - packet.payloadAt;
    if (captured < payloadLength) this.#miss(at, payloadLength - captured);
  }

  #reset(at: number, state: number): void {
    this.#state[at] = state;
    this.#left[at] = 0;
    this.#have[at] = 0;
    this.#tries[at] = 0;
  }

  /** Bytes that were never seen. */
  #miss(at: number, count: number): void {
    const left = i32(this.#left, at);
    if (u8(this.#state, at) !== FRAMED) return;
    if (count > left) this.#state[at] = LOST;
    else this.#advance(at, count);
  }

  /** True where the segment begins with a record, which nothing but chance in some hundred million segments imitates. */
  #resumes(at: number, packet: Packet, from: number): boolean {
    const row = at >>> 1;
    const isStart =
      packet.payloadEnd - from >= RECORD_HEADER_LENGTH &&
      isHeader(
        packet.view.getUint8(from),
        packet.view.getUint8(from + 1),
        packet.view.getUint16(from + LENGTH_AT),
      );
    if (isStart) {
      this.#reset(at, FRAMED);
      this.#sink.resumed(row);
      return true;
    }
    const tries = u8(this.#tries, at) + 1;
    this.#tries[at] = tries;
    if (tries === TRIES) this.#sink.gaveUp(row);
    return false;
  }

  #read(at: number, view: DataView, from: number, end: number): void {
    let byte = from;
    while (byte < end && u8(this.#state, at) === FRAMED) {
      const left = i32(this.#left, at);
      if (left > 0) {
        const count = Math.min(left, end - byte);
        byte += count;
        this.#advance(at, count);
      } else if (u8(this.#have, at) === 0 && end - byte >= RECORD_HEADER_LENGTH) {
        this.#open(
          at,
          view.getUint8(byte),
          view.getUint8(byte + 1),
          view.getUint16(byte + LENGTH_AT),
        );
        byte += RECORD_HEADER_LENGTH;
      } else {
        this.#gather(at, view.getUint8(byte));
        byte++;
      }
    }
  }

  /** One byte of a header that spans segments. */
  #gather(at: number, byte: number): void {
    const header = at * RECORD_HEADER_LENGTH;
    const have = u8(this.#have, at);
    this.#header[header + have] = byte;
    this.#have[at] = have + 1;
    if (have + 1 < RECORD_HEADER_LENGTH) return;
    this.#have[at] = 0;
    const length = (u8(this.#header, header + LENGTH_AT) << 8) | byte;
    this.#open(at, u8(this.#header, header), u8(this.#header, header + 1), length);
  }

  #open(at: number, type: number, major: number, length: number): void {
    if (!isHeader(type, major, length)) {
      this.#state[at] = LOST;
      return;
    }
    this.#type[at] = type;
    this.#bytes[at] = length + RECORD_HEADER_LENGTH;
    this.#left[at] = length;
  }

  /** `count` bytes of the present record went by, at most all that are left. */
  #advance(at: number, count: number): void {
    const left = i32(this.#left, at) - count;
    this.#left[at] = left;
    if (left === 0) {
      this.#sink.record(at >>> 1, at & 1, u8(this.#type, at), i32(this.#bytes, at));
    }
  }
}

function isHeader(type: number, major: number, length: number): boolean {
  if (type < FIRST_TYPE || type > LAST_TYPE || major !== MAJOR_VERSION) return false;
  return length <= LENGTH_MAX && length >= (type === APPLICATION_DATA ? DATA_LENGTH_MIN : 1);
}
