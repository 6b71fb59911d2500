// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../decode/packet.ts";
import { f64, i32, u8, u16 } from "../util/typed.ts";
import { hashKey, mix } from "./hash.ts";
import type { FlowKey } from "./tracker.ts";

/** Flows that share a hash bucket; a lookup looks at no more. */
const WAYS = 8;
/** A flow's row is one cache line. */
const ROW_SHIFT = 4;
const SERVER = 4;
const PORTS = 8;
/** IP protocol and version (16 bits), state byte, verdict byte. */
const KIND = 9;
const STATE_BYTE = KIND * 4 + 2;
const VERDICT_BYTE = KIND * 4 + 3;
const PACKETS = 10;
/** In 64-bit units. */
const BYTES = 6;
/** Expiry of a free slot. */
const NEVER = 0x7fffffff;
const INT32_MIN = -0x80000000;

/**
 * Flows by address pair, ports and IP protocol, both directions as one, in arrays that never grow. Buckets of
 * eight, found by a seeded hash; in a full bucket the flow that would time out first makes room. The caller keeps
 * time (int32 milliseconds of its own epoch) and decides when a flow ends.
 */
export class FlowTable {
  /** Most flows held: the next power of two of what was asked for. */
  readonly capacity: number;
  /** Who sent the packet that `find` found last: 0 the flow's client, 1 its server. */
  side = 0;
  readonly #tags: Uint16Array;
  readonly #expiry: Int32Array;
  readonly #started: Int32Array;
  readonly #rows: Int32Array;
  readonly #bytes: Float64Array;
  readonly #octets: Uint8Array;
  // A number without a first value would be kept as an object pointer, checked at each use.
  readonly #bucketMask: number = 0;
  readonly #wordKey: number = 0;
  readonly #portKey: number = 0;
  #hash = 0;

  constructor(capacity: number, hashSeed: number) {
    this.capacity = 1 << Math.max(3, Math.ceil(Math.log2(capacity)));
    this.#bucketMask = this.capacity / WAYS - 1;
    this.#tags = new Uint16Array(this.capacity);
    this.#expiry = new Int32Array(this.capacity).fill(NEVER);
    this.#started = new Int32Array(this.capacity);
    const rows = new ArrayBuffer((this.capacity << ROW_SHIFT) * 4);
    this.#rows = new Int32Array(rows);
    this.#bytes = new Float64Array(rows);
    this.#octets = new Uint8Array(rows);
    this.#wordKey = hashKey(hashSeed, 0);
    this.#portKey = hashKey(hashSeed, 1);
  }

  /**
   * Slot of the packet's flow, -1 if it has none; sets `side`. One long function with plain element reads, because
   * this is where the packet path spends its time: the compiler stops inlining where small parts add up to too much.
   */
  find(packet: Packet): number {
    const rows = this.#rows;
    const tags = this.#tags;
    const hash = this.#hashOf(packet);
    this.#hash = hash;
    const tag = (hash >>> 16) | 1;
    const { source3, destination3 } = packet;
    const ports = packet.sourcePort | (packet.destinationPort << 16);
    const isIpv6 = packet.ipVersion === 6;
    const first = (hash & this.#bucketMask) * WAYS;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (tags[slot] !== tag) continue;
      const at = slot << ROW_SHIFT;
      const client3 = rows[at + 3] as number;
      const server3 = rows[at + SERVER + 3] as number;
      const storedPorts = rows[at + PORTS] as number;
      let unlike = (storedPorts ^ ports) | (client3 ^ source3) | (server3 ^ destination3);
      if (isIpv6) unlike |= this.#unlikeHighWords(packet, at, 0);
      // Either side is as likely as the other: computing it costs less than a wrong guess of the processor.
      const side = (unlike | (0 - unlike)) >>> 31;
      const turn = side << 4;
      const swap = (client3 ^ server3) & -side;
      unlike =
        (storedPorts ^ ((ports << turn) | (ports >>> (32 - turn)))) |
        (client3 ^ swap ^ source3) |
        (server3 ^ swap ^ destination3) |
        (((rows[at + KIND] as number) ^ kindOf(packet)) & 0xffff);
      if (isIpv6) unlike |= this.#unlikeHighWords(packet, at, side);
      if (unlike !== 0) continue;
      this.side = side;
      return slot;
    }
    return -1;
  }

  /** Where the flow of the last `find` would go: a free slot, else the one that times out first. */
  place(): number {
    const first = (this.#hash & this.#bucketMask) * WAYS;
    let soonest = first;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (u16(this.#tags, slot) === 0) return slot;
      if (i32(this.#expiry, slot) < i32(this.#expiry, soonest)) soonest = slot;
    }
    return soonest;
  }

  /** Puts the flow of the last `find` into a free slot; `side` says which end the packet's sender is. */
  insert(slot: number, packet: Packet, side: number, state: number, now: number): void {
    const rows = this.#rows;
    const at = slot << ROW_SHIFT;
    const source = at + side * SERVER;
    const destination = at + SERVER - side * SERVER;
    rows[source] = packet.source0;
    rows[source + 1] = packet.source1;
    rows[source + 2] = packet.source2;
    rows[source + 3] = packet.source3;
    rows[destination] = packet.destination0;
    rows[destination + 1] = packet.destination1;
    rows[destination + 2] = packet.destination2;
    rows[destination + 3] = packet.destination3;
    rows[at + PORTS] =
      side === 0
        ? packet.sourcePort | (packet.destinationPort << 16)
        : packet.destinationPort | (packet.sourcePort << 16);
    rows[at + KIND] = kindOf(packet) | (state << 16);
    rows[at + PACKETS] = 0;
    rows[at + PACKETS + 1] = 0;
    this.#bytes[(at >> 1) + BYTES] = 0;
    this.#bytes[(at >> 1) + BYTES + 1] = 0;
    this.#started[slot] = now;
    this.#tags[slot] = tagOf(this.#hash);
    this.side = side;
  }

  remove(slot: number): void {
    this.#tags[slot] = 0;
    this.#expiry[slot] = NEVER;
  }

  isUsed(slot: number): boolean {
    return u16(this.#tags, slot) !== 0;
  }

  /** Adds a packet of `side` and moves the time-out. */
  count(slot: number, side: number, lengthBytes: number, expiry: number): void {
    const at = slot << ROW_SHIFT;
    this.#rows[at + PACKETS + side] = i32(this.#rows, at + PACKETS + side) + 1;
    const bytesAt = (at >> 1) + BYTES + side;
    this.#bytes[bytesAt] = f64(this.#bytes, bytesAt) + lengthBytes;
    this.#expiry[slot] = expiry;
  }

  /** Packets sent by one side, modulo 2^32. */
  packets(slot: number, side: number): number {
    return i32(this.#rows, (slot << ROW_SHIFT) + PACKETS + side) >>> 0;
  }

  /** Bytes on the wire sent by one side. */
  bytes(slot: number, side: number): number {
    return f64(this.#bytes, (slot << (ROW_SHIFT - 1)) + BYTES + side);
  }

  state(slot: number): number {
    return u8(this.#octets, (slot << (ROW_SHIFT + 2)) + STATE_BYTE);
  }

  setState(slot: number, state: number): void {
    this.#octets[(slot << (ROW_SHIFT + 2)) + STATE_BYTE] = state;
  }

  verdict(slot: number): number {
    return u8(this.#octets, (slot << (ROW_SHIFT + 2)) + VERDICT_BYTE);
  }

  setVerdict(slot: number, verdict: number): void {
    this.#octets[(slot << (ROW_SHIFT + 2)) + VERDICT_BYTE] = verdict;
  }

  ipProtocol(slot: number): number {
    return i32(this.#rows, (slot << ROW_SHIFT) + KIND) & 0xff;
  }

  expiry(slot: number): number {
    return i32(this.#expiry, slot);
  }

  setExpiry(slot: number, expiry: number): void {
    this.#expiry[slot] = expiry;
  }

  /** Time of the flow's first packet. */
  started(slot: number): number {
    return i32(this.#started, slot);
  }

  /** The next slot at or after `from` whose flow has timed out, `capacity` if there is none. */
  nextExpired(from: number, now: number): number {
    const expiry = this.#expiry;
    let slot = from;
    while (slot < expiry.length && i32(expiry, slot) > now) slot++;
    return slot;
  }

  /** Moves the epoch of every time kept to `byMs` later; times too old for an int32 become its lowest value. */
  shiftEpoch(byMs: number): void {
    for (let slot = 0; slot < this.capacity; slot++) {
      if (!this.isUsed(slot)) continue;
      this.#expiry[slot] = Math.max(i32(this.#expiry, slot) - byMs, INT32_MIN);
      this.#started[slot] = Math.max(i32(this.#started, slot) - byMs, INT32_MIN);
    }
  }

  /** Writes the flow's ends and protocol into `key`. */
  readKey(slot: number, key: FlowKey): void {
    const rows = this.#rows;
    const at = slot << ROW_SHIFT;
    const ports = i32(rows, at + PORTS);
    const kind = i32(rows, at + KIND);
    key.slot = slot;
    key.client0 = i32(rows, at);
    key.client1 = i32(rows, at + 1);
    key.client2 = i32(rows, at + 2);
    key.client3 = i32(rows, at + 3);
    key.server0 = i32(rows, at + 4);
    key.server1 = i32(rows, at + 5);
    key.server2 = i32(rows, at + 6);
    key.server3 = i32(rows, at + 7);
    key.clientPort = ports & 0xffff;
    key.serverPort = ports >>> 16;
    key.ipProtocol = kind & 0xff;
    key.ipVersion = (kind >>> 8) & 0xff;
  }

  /** The same for both directions: the ends' hashes are added. */
  #hashOf(packet: Packet): number {
    const key = this.#wordKey;
    const portKey = this.#portKey;
    let source = mix(packet.source3 ^ Math.imul(packet.sourcePort, portKey), key);
    let destination = mix(packet.destination3 ^ Math.imul(packet.destinationPort, portKey), key);
    if (packet.ipVersion === 6) {
      source = mix(source ^ packet.source2, key);
      source = mix(source ^ packet.source1, key);
      source = mix(source ^ packet.source0, key);
      destination = mix(destination ^ packet.destination2, key);
      destination = mix(destination ^ packet.destination1, key);
      destination = mix(destination ^ packet.destination0, key);
    }
    return mix((source + destination) ^ packet.ipProtocol, key);
  }

  /** 0 where the upper words of an IPv6 packet's addresses are those of the flow at `at`. */
  #unlikeHighWords(packet: Packet, at: number, side: number): number {
    const rows = this.#rows;
    const source = at + side * SERVER;
    const destination = at + SERVER - side * SERVER;
    return (
      (i32(rows, source) ^ packet.source0) |
      (i32(rows, source + 1) ^ packet.source1) |
      (i32(rows, source + 2) ^ packet.source2) |
      (i32(rows, destination) ^ packet.destination0) |
      (i32(rows, destination + 1) ^ packet.destination1) |
      (i32(rows, destination + 2) ^ packet.destination2)
    );
  }
}

function tagOf(hash: number): number {
  return (hash >>> 16) | 1;
}

function kindOf(packet: Packet): number {
  return packet.ipProtocol | (packet.ipVersion << 8);
}
