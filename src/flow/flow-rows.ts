// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../decode/packet.ts";
import { f64, i32, u8 } from "../util/typed.ts";
import type { FlowKey } from "./tracker.ts";

/** A row is one cache line: 16 words. */
export const ROW_SHIFT = 4;
/** Words of a row: the client's address from 0, the server's from here; */
export const SERVER = 4;
/** the client's port, and the server's above it; */
export const PORTS = 8;
/** IP protocol and version in 16 bits, state byte, verdict byte; packets of each side, and bytes of each side. */
export const KIND = 9;
const STATE_BYTE = KIND * 4 + 2;
const VERDICT_BYTE = KIND * 4 + 3;
const PACKETS = 10;
const BYTES_IN_DOUBLES = 6;

/** glibc starts large blocks 16 bytes after a cache line; with another allocator this only costs some speed. */
const ROWS_AT = 48;

/** IP protocol and version as a row's KIND word holds them. */
export function kindOf(packet: Packet): number {
  return packet.ipProtocol | (packet.ipVersion << 8);
}

/** What is kept of each flow, by slot. */
export class FlowRows {
  /** Rows of ROW_SHIFT words. */
  readonly words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #octets: Uint8Array;

  constructor(capacity: number) {
    const words = capacity << ROW_SHIFT;
    const memory = new ArrayBuffer(ROWS_AT + words * 4);
    this.words = new Int32Array(memory, ROWS_AT, words);
    this.#doubles = new Float64Array(memory, ROWS_AT, words / 2);
    this.#octets = new Uint8Array(memory, ROWS_AT, words * 4);
  }

  /** Writes a new flow; `side` says which end the packet's sender is: 0 client, 1 server. */
  begin(slot: number, packet: Packet, side: number, state: number): void {
    const { words } = this;
    const at = slot << ROW_SHIFT;
    const source = at + side * SERVER;
    const destination = at + SERVER - side * SERVER;
    words[source] = packet.source0;
    words[source + 1] = packet.source1;
    words[source + 2] = packet.source2;
    words[source + 3] = packet.source3;
    words[destination] = packet.destination0;
    words[destination + 1] = packet.destination1;
    words[destination + 2] = packet.destination2;
    words[destination + 3] = packet.destination3;
    const { sourcePort, destinationPort } = packet;
    words[at + PORTS] =
      side === 0 ? sourcePort | (destinationPort << 16) : destinationPort | (sourcePort << 16);
    words[at + KIND] = kindOf(packet) | (state << 16);
    words[at + PACKETS] = 0;
    words[at + PACKETS + 1] = 0;
    const bytes = (at >> 1) + BYTES_IN_DOUBLES;
    this.#doubles[bytes] = 0;
    this.#doubles[bytes + 1] = 0;
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

  /** FlowState and its flags. */
  state(slot: number): number {
    return u8(this.#octets, (slot << (ROW_SHIFT + 2)) + STATE_BYTE);
  }

  setState(slot: number, state: number): void {
    this.#octets[(slot << (ROW_SHIFT + 2)) + STATE_BYTE] = state;
  }

  /** The application verdict kept with the flow, 0 for none. */
  verdict(slot: number): number {
    return u8(this.#octets, (slot << (ROW_SHIFT + 2)) + VERDICT_BYTE);
  }

  setVerdict(slot: number, verdict: number): void {
    this.#octets[(slot << (ROW_SHIFT + 2)) + VERDICT_BYTE] = verdict;
  }

  ipProtocol(slot: number): number {
    return i32(this.words, (slot << ROW_SHIFT) + KIND) & 0xff;
  }

  /** Writes the flow's ends and protocol into `key`. */
  readKey(slot: number, key: FlowKey): void {
    const { words } = this;
    const at = slot << ROW_SHIFT;
    const ports = i32(words, at + PORTS);
    const kind = i32(words, at + KIND);
    key.slot = slot;
    key.client0 = i32(words, at);
    key.client1 = i32(words, at + 1);
    key.client2 = i32(words, at + 2);
    key.client3 = i32(words, at + 3);
    key.server0 = i32(words, at + 4);
    key.server1 = i32(words, at + 5);
    key.server2 = i32(words, at + 6);
    key.server3 = i32(words, at + 7);
    key.clientPort = ports & 0xffff;
    key.serverPort = ports >>> 16;
    key.ipProtocol = kind & 0xff;
    key.ipVersion = (kind >>> 8) & 0xff;
  }
}
