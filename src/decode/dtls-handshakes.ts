// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { i32 } from "../util/typed.ts";
import { ASSEMBLY_BYTES, Assembly, GivenUp, NO_BUFFER } from "./assembly.ts";
import { type ClientHelloNotes, createClientHelloNotes } from "./client-hello-notes.ts";
import type { Packet } from "./packet.ts";
import { type DecodeContext, Stop } from "./protocol.ts";
import { createServerHelloNotes, type ServerHelloNotes } from "./server-hello-notes.ts";

/** Handshake header (RFC 6347 §4.2.2): type, length, sequence number, offset and length of the fragment. */
const SEQUENCE_AT = 4;
const OFFSET_AT = 6;
const FRAGMENT_LENGTH_AT = 9;
const HEADER_LENGTH = 12;
const LENGTH_MASK = 0xffffff;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
/** The readers of hellos count from a header of four bytes, and do not look at it. */
const READER_HEADER_LENGTH = 4;
/** Hellos at once whose fragments are put together: 1 MiB. */
const BUFFERS = 64;

/** Reads the hellos of DTLS handshakes, whole or in fragments. */
export class DtlsHandshakes {
  readonly clientHellos: ClientHelloNotes;
  readonly serverHellos: ServerHelloNotes;
  readonly #pool: Assembly;
  /** Sequence number of the message that a buffer is for. */
  readonly #sequences: Int32Array;

  /** `given` counts hellos given up. */
  constructor(context: DecodeContext, given: MetricDefinition) {
    this.clientHellos = context.shared(createClientHelloNotes);
    this.serverHellos = context.shared(createServerHelloNotes);
    this.#pool = new Assembly(BUFFERS, context.counters, context.base(given));
    this.#sequences = new Int32Array(this.#pool.capacity);
  }

  /** Reads the handshake messages and fragments in a record's body; returns a Stop. */
  record(packet: Packet, bodyAt: number, end: number): number {
    const { view } = packet;
    let at = bodyAt;
    while (at < end) {
      if (at + HEADER_LENGTH > end) return Stop.MALFORMED;
      const type = view.getUint8(at);
      const length = view.getInt32(at) & LENGTH_MASK;
      const offset = view.getInt32(at + OFFSET_AT - 1) & LENGTH_MASK;
      const fragmentLength = view.getInt32(at + FRAGMENT_LENGTH_AT - 1) & LENGTH_MASK;
      const fragmentAt = at + HEADER_LENGTH;
      const next = fragmentAt + fragmentLength;
      if (next > end || offset + fragmentLength > length) return Stop.MALFORMED;
      if (type === CLIENT_HELLO || type === SERVER_HELLO) {
        const stop =
          fragmentLength === length
            ? this.#read(packet, type, view, fragmentAt, next)
            : this.#fragment(packet, at, length, offset);
        if (stop !== Stop.DONE) return stop;
      }
      at = next;
    }
    return Stop.DONE;
  }

  /** Adds the fragment whose header is at `at`, and reads the hello when it is whole. */
  #fragment(packet: Packet, at: number, length: number, offset: number): number {
    const { view } = packet;
    const pool = this.#pool;
    const type = view.getUint8(at);
    const sequence = (type << 16) | view.getUint16(at + SEQUENCE_AT);
    let buffer = pool.find(packet);
    if (buffer !== NO_BUFFER && i32(this.#sequences, buffer) !== sequence) {
      pool.close(buffer);
      buffer = NO_BUFFER;
    }
    if (buffer === NO_BUFFER) buffer = pool.open(packet, 0);
    this.#sequences[buffer] = sequence;
    const fragmentAt = at + HEADER_LENGTH;
    const fragmentEnd = fragmentAt + (view.getInt32(at + FRAGMENT_LENGTH_AT - 1) & LENGTH_MASK);
    const known = pool.add(buffer, packet, fragmentAt, fragmentEnd, offset);
    if (known < 0) return Stop.DONE;
    if (length > ASSEMBLY_BYTES) pool.giveUp(buffer, GivenUp.BYTES);
    if (known < length) return Stop.DONE;
    pool.close(buffer);
    return this.#read(packet, type, pool.view(buffer), 0, length);
  }

  #read(packet: Packet, type: number, view: DataView, at: number, end: number): number {
    const notes = type === CLIENT_HELLO ? this.clientHellos : this.serverHellos;
    return notes.read(packet, "dtls", view, at - READER_HEADER_LENGTH, end);
  }
}
