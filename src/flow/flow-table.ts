// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../decode/packet.ts";
import { i32, u16 } from "../util/typed.ts";
import { FlowRows, KIND, kindOf, PORTS, ROW_SHIFT, SERVER } from "./flow-rows.ts";
import { hashKey, mix } from "./hash.ts";

/** Flows that share a hash bucket; a lookup looks at no more. */
const WAYS = 8;
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
  readonly rows: FlowRows;
  /** Who sent the packet that `find` found last: 0 the flow's client, 1 its server. */
  side = 0;
  readonly #tags: Uint16Array;
  readonly #expiry: Int32Array;
  readonly #started: Int32Array;
  // A number without a first value would be kept as a pointer and checked at each use.
  readonly #bucketMask: number = 0;
  readonly #wordKey: number = 0;
  readonly #portKey: number = 0;
  #hash = 0;

  constructor(capacity: number, hashSeed: number) {
    this.capacity = 1 << Math.max(3, Math.ceil(Math.log2(capacity)));
    this.rows = new FlowRows(this.capacity);
    this.#tags = new Uint16Array(this.capacity);
    this.#expiry = new Int32Array(this.capacity).fill(NEVER);
    this.#started = new Int32Array(this.capacity);
    this.#bucketMask = this.capacity / WAYS - 1;
    this.#wordKey = hashKey(hashSeed, "flow");
    this.#portKey = hashKey(hashSeed, "flow port");
  }

  /**
   * Slot of the packet's flow, -1 if it has none; sets `side`. One long function with plain element reads, because
   * this is where the packet path spends its time: the compiler stops inlining where small parts add up to too much.
   */
  find(packet: Packet): number {
    const { words } = this.rows;
    const tags = this.#tags;
    const hash = this.#hashOf(packet);
    this.#hash = hash;
    const tag = tagOf(hash);
    const { source3, destination3 } = packet;
    const ports = packet.sourcePort | (packet.destinationPort << 16);
    const isIpv6 = packet.ipVersion === 6;
    const first = (hash & this.#bucketMask) * WAYS;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (tags[slot] !== tag) continue;
      const at = slot << ROW_SHIFT;
      const client3 = words[at + 3] as number;
      const server3 = words[at + SERVER + 3] as number;
      const storedPorts = words[at + PORTS] as number;
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
        (((words[at + KIND] as number) ^ kindOf(packet)) & 0xffff);
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
    this.rows.begin(slot, packet, side, state);
    this.#tags[slot] = tagOf(this.#hash);
    this.#started[slot] = now;
    this.side = side;
  }

  remove(slot: number): void {
    this.#tags[slot] = 0;
    this.#expiry[slot] = NEVER;
  }

  isUsed(slot: number): boolean {
    return u16(this.#tags, slot) !== 0;
  }

  /** When the flow times out. */
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

  /** Makes every time kept relative to an epoch `byMs` later; what is too old for an int32 becomes its lowest. */
  shiftEpoch(byMs: number): void {
    for (let slot = 0; slot < this.capacity; slot++) {
      if (!this.isUsed(slot)) continue;
      this.#expiry[slot] = Math.max(i32(this.#expiry, slot) - byMs, INT32_MIN);
      this.#started[slot] = Math.max(i32(this.#started, slot) - byMs, INT32_MIN);
    }
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
    const { words } = this.rows;
    const source = at + side * SERVER;
    const destination = at + SERVER - side * SERVER;
    return (
      (i32(words, source) ^ packet.source0) |
      (i32(words, source + 1) ^ packet.source1) |
      (i32(words, source + 2) ^ packet.source2) |
      (i32(words, destination) ^ packet.destination0) |
      (i32(words, destination + 1) ^ packet.destination1) |
      (i32(words, destination + 2) ^ packet.destination2)
    );
  }
}

/** What tells the flows of a bucket apart without a look at their rows; 0 is a free slot. */
function tagOf(hash: number): number {
  return (hash >>> 16) | 1;
}
