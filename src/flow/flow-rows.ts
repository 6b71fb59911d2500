// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Packet } from "../decode/packet.ts";
import { V4_MAPPED_WORD2 } from "../util/address.ts";
import { lastingBytes, lastingI32 } from "../util/lasting.ts";
import { f64, i32, u8 } from "../util/typed.ts";
import { FlowState, STATE_MASK } from "./flow-state.ts";
import type { FlowKey } from "./tracker.ts";

/** A row is one cache line: 16 words. All that a packet of a known flow reads or writes is in it. */
export const ROW_SHIFT = 4;
/** Words of a row: the last word of the client's address, which is all of an IPv4 address, and the server's; */
export const CLIENT = 0;
export const SERVER = 1;
/** the client's port, and the server's above it; */
export const PORTS = 2;
/** IP protocol and version in 11 bits, the ninth bit of the verdict, state byte, verdict byte; */
export const KIND = 3;
export const KIND_MASK = 0x7ff;
const VERDICT_BIT = 0x800;
const STATE_BYTE = KIND * 4 + 2;
/** packets of each side, and bytes of each side; */
const PACKETS = 4;
const BYTES_IN_DOUBLES = 3;
/** of TCP: the sequence number each side is expected to send next, and what tcp-sequence.ts remembers besides; */
export const NEXT_SEQUENCE = 10;
export const MARKS = 12;
export const STAMP = 13;
/** of all else, in their place: ICMP errors about what each side sent, and of the client's batch, those it was owed; */
const ERRORS_ABOUT = NEXT_SEQUENCE;
const ASKED = MARKS;
/** when the flow times out, and when it began. */
const EXPIRY = 14;
const STARTED = 15;

/** Bits of the MARKS word. Those of a side are for side 0, and the next bit for side 1. */
export const Mark = {
  /** What the side sends next is known. */
  KNOWN: 0x01,
  /** There was a hole in what the side sent. */
  HOLE: 0x04,
  /** The SYN was seen once, and STAMP holds its time. */
  TIMED: 0x10,
  /** The client's shut window is watched, and was reported. */
  SHUT: 0x20,
  STALLED: 0x40,
  /** TCP whose first segment was no part of a handshake. */
  MIDWAY: 0x80,
  /** An ICMP error about the flow was counted. */
  ERROR: 0x100,
} as const;

const { MIDWAY } = Mark;
const { MIDSTREAM } = FlowState;

/** Words of the upper parts of IPv6 addresses, kept apart because IPv4 has none: three of each end, padded to four. */
const HIGH_SHIFT = 3;
const HIGH_SERVER = 4;

/** glibc starts large blocks 16 bytes after a cache line; with another allocator this only costs some speed. */
const ROWS_AT = 48;
const TCP = 6;
/** Expiry of a free row. */
const NEVER = 0x7fffffff;

/** IP protocol and version as a row's KIND word holds them. */
export function kindOf(packet: Packet): number {
  return packet.ipProtocol | (packet.ipVersion << 8);
}

/** The ninth bit of a verdict, which is kept apart from its other eight. */
const NINTH_BIT = 0x100;

/** What is kept of each flow, by slot. */
export class FlowRows {
  readonly capacity: number;
  /** Rows of ROW_SHIFT words. */
  readonly words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #octets: Uint8Array;
  /** Touched for IPv6 only, so that it costs no memory where there is none. */
  readonly #high: Int32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    const words = capacity << ROW_SHIFT;
    const memory = lastingBytes(ROWS_AT + words * 4);
    this.words = new Int32Array(memory, ROWS_AT, words);
    this.#doubles = new Float64Array(memory, ROWS_AT, words / 2);
    this.#octets = new Uint8Array(memory, ROWS_AT, words * 4);
    this.#high = lastingI32(capacity << HIGH_SHIFT);
  }

  /** Writes a new flow; `side` says which end the packet's sender is: 0 client, 1 server. */
  begin(slot: number, packet: Packet, side: number, state: number, now: number): void {
    const { words } = this;
    const at = slot << ROW_SHIFT;
    words[at + side] = packet.source3;
    words[at + 1 - side] = packet.destination3;
    const { sourcePort, destinationPort } = packet;
    words[at + PORTS] =
      side === 0 ? sourcePort | (destinationPort << 16) : destinationPort | (sourcePort << 16);
    words[at + KIND] = kindOf(packet) | (state << 16);
    words[at + PACKETS] = 0;
    words[at + PACKETS + 1] = 0;
    words[at + NEXT_SEQUENCE] = 0;
    words[at + NEXT_SEQUENCE + 1] = 0;
    words[at + MARKS] = (state & STATE_MASK) === MIDSTREAM ? MIDWAY : 0;
    words[at + STAMP] = 0;
    words[at + STARTED] = now;
    const bytes = (at >> 1) + BYTES_IN_DOUBLES;
    this.#doubles[bytes] = 0;
    this.#doubles[bytes + 1] = 0;
    if (packet.ipVersion === 6) this.#beginHigh(slot, packet, side);
  }

  /** True for TCP of which the beginning was not seen. */
  isMidway(slot: number): boolean {
    const marks = i32(this.words, (slot << ROW_SHIFT) + MARKS);
    return (marks & MIDWAY) !== 0 && this.ipProtocol(slot) === TCP;
  }

  /** Frees a row. */
  end(slot: number): void {
    const at = slot << ROW_SHIFT;
    this.words[at + KIND] = 0;
    this.words[at + EXPIRY] = NEVER;
  }

  /** True for a row that holds a flow. */
  isUsed(slot: number): boolean {
    return i32(this.words, (slot << ROW_SHIFT) + KIND) !== 0;
  }

  #beginHigh(slot: number, packet: Packet, side: number): void {
    const high = this.#high;
    const source = (slot << HIGH_SHIFT) + side * HIGH_SERVER;
    const destination = (slot << HIGH_SHIFT) + HIGH_SERVER - side * HIGH_SERVER;
    high[source] = packet.source0;
    high[source + 1] = packet.source1;
    high[source + 2] = packet.source2;
    high[destination] = packet.destination0;
    high[destination + 1] = packet.destination1;
    high[destination + 2] = packet.destination2;
  }

  /** 0 where the upper words of an IPv6 packet's addresses are those of the flow, `side` having sent it. */
  unlikeHigh(slot: number, packet: Packet, side: number): number {
    const high = this.#high;
    const source = (slot << HIGH_SHIFT) + side * HIGH_SERVER;
    const destination = (slot << HIGH_SHIFT) + HIGH_SERVER - side * HIGH_SERVER;
    return (
      (i32(high, source) ^ packet.source0) |
      (i32(high, source + 1) ^ packet.source1) |
      (i32(high, source + 2) ^ packet.source2) |
      (i32(high, destination) ^ packet.destination0) |
      (i32(high, destination + 1) ^ packet.destination1) |
      (i32(high, destination + 2) ^ packet.destination2)
    );
  }

  /** Adds a packet of one side. */
  count(slot: number, side: number, lengthBytes: number): void {
    const packets = (slot << ROW_SHIFT) + PACKETS + side;
    this.words[packets] = i32(this.words, packets) + 1;
    const bytes = (slot << (ROW_SHIFT - 1)) + BYTES_IN_DOUBLES + side;
    this.#doubles[bytes] = f64(this.#doubles, bytes) + lengthBytes;
  }

  /** Packets sent by one side, modulo 2^32. */
  packets(slot: number, side: number): number {
    return i32(this.words, (slot << ROW_SHIFT) + PACKETS + side) >>> 0;
  }

  /** Bytes on the wire sent by one side. */
  bytes(slot: number, side: number): number {
    return f64(this.#doubles, (slot << (ROW_SHIFT - 1)) + BYTES_IN_DOUBLES + side);
  }

  /** Sequence number that a side of a TCP flow is expected to send next, 0 where it has not been heard. */
  nextSequence(slot: number, side: number): number {
    return i32(this.words, (slot << ROW_SHIFT) + NEXT_SEQUENCE + side);
  }

  /**
   * Takes an ICMP error about a packet that `side` has sent, and returns whether it was owed: at most one for each
   * packet, and of a TCP flow, which has no room to count them, one in all.
   */
  owesError(slot: number, side: number): boolean {
    const { words } = this;
    const at = slot << ROW_SHIFT;
    if (this.ipProtocol(slot) === TCP) {
      const marks = i32(words, at + MARKS);
      words[at + MARKS] = marks | Mark.ERROR;
      return (marks & Mark.ERROR) === 0;
    }
    const errors = i32(words, at + ERRORS_ABOUT + side);
    if (errors >>> 0 >= this.packets(slot, side)) return false;
    words[at + ERRORS_ABOUT + side] = errors + 1;
    return true;
  }

  /** Of the packets of an ICMP flow's client since its last BATCH, the errors about what their receiver sent itself. */
  asked(slot: number): number {
    return this.ipProtocol(slot) === TCP ? 0 : i32(this.words, (slot << ROW_SHIFT) + ASKED);
  }

  countAsked(slot: number): void {
    const at = (slot << ROW_SHIFT) + ASKED;
    this.words[at] = i32(this.words, at) + 1;
  }

  forgetAsked(slot: number): void {
    if (this.ipProtocol(slot) !== TCP) this.words[(slot << ROW_SHIFT) + ASKED] = 0;
  }

  /** FlowState and its flags. */
  state(slot: number): number {
    return u8(this.#octets, (slot << (ROW_SHIFT + 2)) + STATE_BYTE);
  }

  setState(slot: number, state: number): void {
    this.#octets[(slot << (ROW_SHIFT + 2)) + STATE_BYTE] = state;
  }

  /** The application verdict kept with the flow, nine bits, 0 for none. */
  verdict(slot: number): number {
    const kind = i32(this.words, (slot << ROW_SHIFT) + KIND);
    return (kind >>> 24) | ((kind & VERDICT_BIT) >>> 3);
  }

  setVerdict(slot: number, verdict: number): void {
    const at = (slot << ROW_SHIFT) + KIND;
    this.words[at] =
      (i32(this.words, at) & ~(VERDICT_BIT | 0xff000000)) |
      ((verdict & NINTH_BIT) << 3) |
      (verdict << 24);
  }

  ipProtocol(slot: number): number {
    return i32(this.words, (slot << ROW_SHIFT) + KIND) & 0xff;
  }

  /** When the flow times out. */
  expiry(slot: number): number {
    return i32(this.words, (slot << ROW_SHIFT) + EXPIRY);
  }

  setExpiry(slot: number, expiry: number): void {
    this.words[(slot << ROW_SHIFT) + EXPIRY] = expiry;
  }

  /** Time of the flow's first packet. */
  started(slot: number): number {
    return i32(this.words, (slot << ROW_SHIFT) + STARTED);
  }

  setStarted(slot: number, started: number): void {
    this.words[(slot << ROW_SHIFT) + STARTED] = started;
  }

  /** Writes the flow's ends and protocol into `key`. */
  readKey(slot: number, key: FlowKey): void {
    const { words } = this;
    const high = this.#high;
    const at = slot << ROW_SHIFT;
    const highAt = slot << HIGH_SHIFT;
    const ports = i32(words, at + PORTS);
    const kind = i32(words, at + KIND);
    const version = (kind & KIND_MASK) >>> 8;
    const isIpv6 = version === 6;
    key.slot = slot;
    key.client0 = isIpv6 ? i32(high, highAt) : 0;
    key.client1 = isIpv6 ? i32(high, highAt + 1) : 0;
    key.client2 = isIpv6 ? i32(high, highAt + 2) : V4_MAPPED_WORD2;
    key.client3 = i32(words, at + CLIENT);
    key.server0 = isIpv6 ? i32(high, highAt + HIGH_SERVER) : 0;
    key.server1 = isIpv6 ? i32(high, highAt + HIGH_SERVER + 1) : 0;
    key.server2 = isIpv6 ? i32(high, highAt + HIGH_SERVER + 2) : V4_MAPPED_WORD2;
    key.server3 = i32(words, at + SERVER);
    key.clientPort = ports & 0xffff;
    key.serverPort = ports >>> 16;
    key.ipProtocol = kind & 0xff;
    key.ipVersion = version;
  }
}
