// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../util/typed.ts";
import { Assembly, NO_BUFFER } from "./assembly.ts";
import { DNS_HEADER_LENGTH } from "./dns-message.ts";
import type { Packet } from "./packet.ts";
import { Stop } from "./protocol.ts";

/** The length in front of each message (RFC 1035 §4.2.2). */
const LENGTH_BYTES = 2;
/** Messages that lie across segments, at once. */
const BUFFERS = 64;
/** Longer messages, of zone transfers, are not put together: their beginning says what they are about. */
const LONGEST_BUFFERED = 8192;
/** Header and question at their longest. */
const LONGEST_BEGINNING = DNS_HEADER_LENGTH + 255 + 4;
/** Sides of connections whose place in the stream is known; each has one place, and the newer one wins it. */
const STREAMS = 4096;
/** A segment further than this from where the stream stood is of another connection. */
const WINDOW = 1 << 20;
const SPREAD = 0x9e3779b1;

/** Opcode, reserved bit and code as they are in use: what tells a message from the middle of one. */
const OPCODE_SHIFT = 11;
const HIGHEST_OPCODE = 6;
const RESERVED = 0x0040;

/** Takes the message `[at, end)` of a view, of which `sentBytes` were sent; more where its end is missing. Returns a Stop. */
type Take = (view: DataView, at: number, end: number, sentBytes: number) => number;

/**
 * Finds the messages in DNS over TCP: several in a segment, one over several segments, in any order of segments, and
 * each once however often it is sent. Of a very long message only the beginning is read.
 */
export class DnsStreams {
  readonly #pool: Assembly;
  readonly #take: Take;
  /** Of each place: who has it (0: nobody), and the sequence number of the next message. */
  readonly #owners = new Int32Array(STREAMS);
  readonly #next = new Int32Array(STREAMS);

  /** `cells` are those of the pool's metric. */
  constructor(counters: Float64Array, cells: number, take: Take) {
    this.#pool = new Assembly(BUFFERS, counters, cells);
    this.#take = take;
  }

  /** Reads the messages that the segment completes. Returns the first Stop that is a fault, else DONE. */
  read(packet: Packet): number {
    const owner = ownerOf(packet);
    const place = owner & (STREAMS - 1);
    const sequence = packet.tcpSequence;
    let ahead = (sequence - i32(this.#next, place)) | 0;
    if (i32(this.#owners, place) !== owner || ahead > WINDOW || ahead < -WINDOW) {
      if (!beginsMessage(packet)) return packet.cut ? Stop.TRUNCATED : Stop.UNSUPPORTED;
      this.#owners[place] = owner;
      this.#next[place] = sequence;
      ahead = 0;
    }
    const buffer = this.#pool.find(packet);
    if (buffer !== NO_BUFFER) return this.#readBuffer(packet, place, buffer);
    if (ahead > 0) return this.#keep(packet, place, packet.payloadAt);
    const from = packet.payloadAt - ahead;
    return from < packet.payloadEnd ? this.#readSegment(packet, place, from) : Stop.DONE;
  }

  /** Messages that lie in the segment; what is left of it begins one that does not. */
  #readSegment(packet: Packet, place: number, from: number): number {
    const { view, payloadEnd, payloadAt } = packet;
    const sentEnd = payloadAt + packet.payloadLength;
    let stop: number = Stop.DONE;
    let at = from;
    while (at + LENGTH_BYTES <= payloadEnd) {
      const length = view.getUint16(at);
      if (length < DNS_HEADER_LENGTH) return this.#forget(place);
      const end = at + LENGTH_BYTES + length;
      const isCaptureCut = end > payloadEnd && end <= sentEnd;
      const known = Math.min(end, payloadEnd) - at - LENGTH_BYTES;
      if (end > sentEnd && !isBeginningEnough(length, known)) break;
      let taken: number = Stop.TRUNCATED;
      if (known >= DNS_HEADER_LENGTH) {
        taken = this.#take(view, at + LENGTH_BYTES, at + LENGTH_BYTES + known, length);
      }
      if (stop === Stop.DONE && (isCaptureCut || known === length)) stop = taken;
      at = end;
      this.#next[place] = (packet.tcpSequence + at - payloadAt) | 0;
    }
    // Bytes that the capture cut will not come again.
    return at < payloadEnd && payloadEnd === sentEnd ? this.#keep(packet, place, at) : stop;
  }

  /** Puts the segment from `at` on into a buffer of its own. */
  #keep(packet: Packet, place: number, at: number): number {
    const buffer = this.#pool.open(packet, i32(this.#next, place));
    const offset = this.#pool.offset(buffer, packet) + at - packet.payloadAt;
    this.#pool.add(buffer, packet, at, packet.payloadEnd, offset);
    return Stop.DONE;
  }

  #readBuffer(packet: Packet, place: number, buffer: number): number {
    const pool = this.#pool;
    const { payloadAt, payloadEnd } = packet;
    const known = pool.add(buffer, packet, payloadAt, payloadEnd, pool.offset(buffer, packet));
    if (known === NO_BUFFER) {
      this.#owners[place] = 0;
      return Stop.DONE;
    }
    const view = pool.view(buffer);
    let stop: number = Stop.DONE;
    let at = 0;
    while (at + LENGTH_BYTES <= known) {
      const length = view.getUint16(at);
      const end = at + LENGTH_BYTES + length;
      if (length < DNS_HEADER_LENGTH) {
        pool.close(buffer);
        return this.#forget(place);
      }
      const available = Math.min(end, known) - at - LENGTH_BYTES;
      if (available < length && !isBeginningEnough(length, available)) break;
      const messageAt = at + LENGTH_BYTES;
      const taken = this.#take(view, messageAt, messageAt + available, length);
      if (stop === Stop.DONE && available === length) stop = taken;
      at = end;
    }
    this.#next[place] = (i32(this.#next, place) + at) | 0;
    if (at === 0) return stop;
    if (at >= known) pool.close(buffer);
    else pool.consume(buffer, at, packet);
    return stop;
  }

  #forget(place: number): number {
    this.#owners[place] = 0;
    return Stop.MALFORMED;
  }
}

/** True for the beginning of a message too long to wait for. */
function isBeginningEnough(length: number, known: number): boolean {
  return length > LONGEST_BUFFERED && known >= LONGEST_BEGINNING;
}

/** A stream is known by one side's flow, addresses and ports; never 0. */
function ownerOf(packet: Packet): number {
  const from = packet.source0 ^ packet.source1 ^ packet.source2 ^ packet.source3;
  const to = packet.destination0 ^ packet.destination1 ^ packet.destination2 ^ packet.destination3;
  const ports = packet.sourcePort | (packet.destinationPort << 16);
  let owner = Math.imul(from, SPREAD) ^ to;
  owner = Math.imul(owner ^ (owner >>> 15) ^ ports, SPREAD);
  owner = Math.imul(owner ^ (owner >>> 13) ^ packet.flow, SPREAD);
  return owner ^ (owner >>> 16) || 1;
}

/** True where the segment may begin a message: too short to tell, or a length in front of a header that makes sense. */
function beginsMessage(packet: Packet): boolean {
  const { view, payloadAt, payloadEnd } = packet;
  const available = payloadEnd - payloadAt;
  if (available < LENGTH_BYTES || view.getUint16(payloadAt) < DNS_HEADER_LENGTH) return false;
  if (available < LENGTH_BYTES + DNS_HEADER_LENGTH) return !packet.cut;
  const flags = view.getUint16(payloadAt + LENGTH_BYTES + 2);
  const questions = view.getUint16(payloadAt + LENGTH_BYTES + 4);
  const opcode = (flags >>> OPCODE_SHIFT) & 15;
  return opcode <= HIGHEST_OPCODE && (flags & RESERVED) === 0 && questions <= 1;
}
