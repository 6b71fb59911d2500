// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Packet } from "../decode/packet.ts";
import { lastingI32 } from "../util/lasting.ts";
import { i32 } from "../util/typed.ts";
import {
  BUCKET_SHIFT,
  FlowIndex,
  firstWay,
  MOST_ROWS,
  matches,
  rowAt,
  tagOf,
  WAYS,
} from "./flow-index.ts";
import { FlowRows, KIND, KIND_MASK, kindOf, PORTS, ROW_SHIFT, SERVER } from "./flow-rows.ts";
import { hashKey, mix } from "./hash.ts";
import { emptyFlowKey, type FlowKey } from "./tracker.ts";

// Imports are looked up each time they are named; constants of the file are not.
const BUCKET = BUCKET_SHIFT;
const ROW = ROW_SHIFT;
const INT32_MIN = -0x80000000;
const VERSION_4 = 4 << 8;
const WAYS_OF_WORD = 4;
/** As `matches` returns the last way of a word. */
const LAST_WAY = INT32_MIN;

/**
 * Flows by address pair, ports and IP protocol, both directions as one, in arrays that never grow. A flow's row, called
 * its slot, stays the same for its life. It is found through buckets of eight and a seeded hash; in a full bucket the
 * flow that would time out first makes room. The caller keeps time (int32 milliseconds of its own epoch) and
 * decides when a flow ends.
 */
export class FlowTable {
  /** Most flows held: the next power of two of what was asked for. */
  readonly capacity: number;
  readonly rows: FlowRows;
  /** Who sent the packet that was looked up last: 0 the flow's client, 1 its server. */
  side = 0;
  /** The same of the last `peek`. */
  peekedSide = 0;
  readonly #index: FlowIndex;
  /** Slots that flows have left; those from `end` on never had one. */
  readonly #freed: Int32Array;
  #freedCount = 0;
  #end = 0;
  // A number without a first value would be kept as a pointer and checked at each use.
  readonly #bucketMask: number = 0;
  readonly #wordKey: number = 0;
  readonly #portKey: number = 0;
  readonly #flow: FlowKey = emptyFlowKey();
  #hash = 0;

  constructor(capacity: number, hashSeed: number) {
    this.capacity = Math.min(1 << Math.max(3, Math.ceil(Math.log2(capacity))), MOST_ROWS);
    this.rows = new FlowRows(this.capacity);
    this.#index = new FlowIndex(this.capacity / WAYS);
    this.#freed = lastingI32(this.capacity);
    this.#bucketMask = this.capacity / WAYS - 1;
    this.#wordKey = hashKey(hashSeed, "flow");
    this.#portKey = hashKey(hashSeed, "flow port");
  }

  /** All slots in use are below this. */
  get end(): number {
    return this.#end;
  }

  /** Slot of the packet's flow, -1 if it has none; sets `side`. */
  find(packet: Packet): number {
    const { source3, destination3, sourcePort, destinationPort } = packet;
    if (packet.ipVersion !== 6) {
      return this.findIpv4(source3, destination3, sourcePort, destinationPort, packet.ipProtocol);
    }
    return this.#findIpv6(packet);
  }

  /** `find` for a look in between: `side`, and the flow that `insert` would put in, stay those of the last lookup. */
  peek(packet: Packet): number {
    const { side } = this;
    const hash = this.#hash;
    const slot = this.find(packet);
    this.peekedSide = this.side;
    this.side = side;
    this.#hash = hash;
    return slot;
  }

  /**
   * `find` for an IPv4 packet that is not decoded into a Packet. One long function with plain element reads, because
   * this is where the packet path spends its time: the compiler stops inlining where small parts add up to too much.
   */
  findIpv4(
    source: number,
    destination: number,
    sourcePort: number,
    destinationPort: number,
    ipProtocol: number,
  ): number {
    const { words } = this.rows;
    const { words: tags, view } = this.#index;
    const hash = this.hashIpv4(
      source,
      destination,
      (sourcePort << 16) | destinationPort,
      ipProtocol,
    );
    this.#hash = hash;
    const tag = tagOf(hash);
    const ports = sourcePort | (destinationPort << 16);
    const kind = ipProtocol | VERSION_4;
    const bucket = hash & this.#bucketMask;
    let found = matches(tags[bucket << BUCKET_SHIFT] as number, tag);
    for (let firstOfWord = 0; ; firstOfWord = WAYS_OF_WORD) {
      // Nearly always one candidate, and the right one: no guess for the processor to get wrong.
      for (; found !== 0; found &= found - 1) {
        const slot = rowAt(view, bucket, firstOfWord + firstWay(found));
        const at = slot << ROW_SHIFT;
        const client = words[at] as number;
        const server = words[at + SERVER] as number;
        const storedPorts = words[at + PORTS] as number;
        // Either side is as likely as the other: computing it costs less than a wrong guess of the processor.
        const forwards = (storedPorts ^ ports) | (client ^ source) | (server ^ destination);
        const side = (forwards | (0 - forwards)) >>> 31;
        const turn = side << 4;
        const swap = (client ^ server) & -side;
        const unlike =
          (storedPorts ^ ((ports << turn) | (ports >>> (32 - turn)))) |
          (client ^ swap ^ source) |
          (server ^ swap ^ destination) |
          (((words[at + KIND] as number) ^ kind) & KIND_MASK);
        if (unlike !== 0) continue;
        this.side = side;
        return slot;
      }
      if (firstOfWord !== 0) return -1;
      found = matches(tags[(bucket << BUCKET_SHIFT) + 1] as number, tag);
    }
  }

  /**
   * Reads what `find` will read for the first `count` of `hashes`, and finds nothing: first the buckets, then the rows, in
   * loops so short that the processor is in many rounds of them at once, and waits for all that memory together. `read`
   * is room for as many numbers.
   */
  fetch(hashes: Int32Array, count: number, read: Int32Array): void {
    const { words: tags, view } = this.#index;
    const { words } = this.rows;
    const mask = this.#bucketMask;
    for (let i = 0; i < count; i++) {
      read[i] = tags[((hashes[i] as number) & mask) << BUCKET] as number;
    }
    for (let i = 0; i < count; i++) {
      const hash = hashes[i] as number;
      const bucket = hash & mask;
      const tag = tagOf(hash);
      const low = matches(read[i] as number, tag);
      const high = matches(tags[(bucket << BUCKET) + 1] as number, tag);
      const way = low !== 0 ? firstWay(low) : WAYS_OF_WORD + firstWay(high | LAST_WAY);
      read[i] = rowAt(view, bucket, way) << ROW;
    }
    // Written, or the compiler would leave out the reading.
    for (let i = 0; i < count; i++) read[i] = words[read[i] as number] as number;
  }

  #findIpv6(packet: Packet): number {
    const hash = this.#hashIpv6(packet);
    this.#hash = hash;
    const tag = tagOf(hash);
    const bucket = hash & this.#bucketMask;
    const { words, view } = this.#index;
    for (let word = 0; word < 2; word++) {
      let found = matches(i32(words, (bucket << BUCKET_SHIFT) + word), tag);
      for (; found !== 0; found &= found - 1) {
        const slot = rowAt(view, bucket, word * WAYS_OF_WORD + firstWay(found));
        const side = this.#sideIpv6(slot, packet);
        if (side < 0) continue;
        this.side = side;
        return slot;
      }
    }
    return -1;
  }

  /** Which end of the flow sent the IPv6 packet, -1 if it is another flow's. */
  #sideIpv6(slot: number, packet: Packet): number {
    const { rows } = this;
    const { words } = rows;
    const at = slot << ROW_SHIFT;
    if (((i32(words, at + KIND) ^ kindOf(packet)) & KIND_MASK) !== 0) return -1;
    const client = i32(words, at);
    const server = i32(words, at + SERVER);
    const storedPorts = i32(words, at + PORTS);
    const { source3, destination3 } = packet;
    const ports = packet.sourcePort | (packet.destinationPort << 16);
    const forwards = (storedPorts ^ ports) | (client ^ source3) | (server ^ destination3);
    if ((forwards | rows.unlikeHigh(slot, packet, 0)) === 0) return 0;
    const turned = (ports << 16) | (ports >>> 16);
    const backwards = (storedPorts ^ turned) | (client ^ destination3) | (server ^ source3);
    return (backwards | rows.unlikeHigh(slot, packet, 1)) === 0 ? 1 : -1;
  }

  /** The flow that has to go before that of the last lookup can be put in, -1 if there is room. */
  victim(): number {
    const { rows } = this;
    const bucket = this.#hash & this.#bucketMask;
    if (this.#index.freeWay(bucket) >= 0) return -1;
    let soonest = this.#index.row(bucket, 0);
    for (let way = 1; way < WAYS; way++) {
      const slot = this.#index.row(bucket, way);
      if (rows.expiry(slot) < rows.expiry(soonest)) soonest = slot;
    }
    return soonest;
  }

  /**
   * Puts in the flow of the last lookup, for which `victim` has found or made room; returns its slot. `side` says
   * which end the packet's sender is.
   */
  insert(packet: Packet, side: number, state: number, now: number): number {
    const slot = this.#freedCount > 0 ? i32(this.#freed, --this.#freedCount) : this.#end++;
    const bucket = this.#hash & this.#bucketMask;
    this.#index.set(bucket, this.#index.freeWay(bucket), tagOf(this.#hash), slot);
    this.rows.begin(slot, packet, side, state, now);
    this.side = side;
    return slot;
  }

  remove(slot: number): void {
    this.#index.clear(this.#hashOfRow(slot) & this.#bucketMask, slot);
    this.rows.end(slot);
    this.#freed[this.#freedCount++] = slot;
  }

  /** The next slot at or after `from` whose flow has timed out, `end` if there is none. */
  nextExpired(from: number, now: number): number {
    const { rows } = this;
    let slot = from;
    while (slot < this.#end && rows.expiry(slot) > now) slot++;
    return slot;
  }

  /** Makes every time kept relative to an epoch `byMs` later; what is too old for an int32 becomes its lowest. */
  shiftEpoch(byMs: number): void {
    const { rows } = this;
    for (let slot = 0; slot < this.#end; slot++) {
      if (!rows.isUsed(slot)) continue;
      rows.setExpiry(slot, Math.max(rows.expiry(slot) - byMs, INT32_MIN));
      rows.setStarted(slot, Math.max(rows.started(slot) - byMs, INT32_MIN));
    }
  }

  // Hashes are the same for both directions: the ends' are added.

  /** What `fetch` takes: the hash of an IPv4 flow. `ports` is the source port above the destination port, as TCP and UDP have them. */
  hashIpv4(source: number, destination: number, ports: number, ipProtocol: number): number {
    const key = this.#wordKey;
    const portKey = this.#portKey;
    const sourceHash = mix(source ^ Math.imul(ports >>> 16, portKey), key);
    const destinationHash = mix(destination ^ Math.imul(ports & 0xffff, portKey), key);
    return mix((sourceHash + destinationHash) ^ ipProtocol, key);
  }

  #hashIpv6(packet: Packet): number {
    const { source0, source1, source2, source3 } = packet;
    const { destination0, destination1, destination2, destination3 } = packet;
    const source = this.#hashEnd(source0, source1, source2, source3, packet.sourcePort);
    const destination = this.#hashEnd(
      destination0,
      destination1,
      destination2,
      destination3,
      packet.destinationPort,
    );
    return mix((source + destination) ^ packet.ipProtocol, this.#wordKey);
  }

  #hashEnd(word0: number, word1: number, word2: number, word3: number, port: number): number {
    const key = this.#wordKey;
    const hash = mix(word3 ^ Math.imul(port, this.#portKey), key);
    return mix(mix(mix(hash ^ word2, key) ^ word1, key) ^ word0, key);
  }

  #hashOfRow(slot: number): number {
    const flow = this.#flow;
    this.rows.readKey(slot, flow);
    const { client3, server3, clientPort, serverPort, ipProtocol } = flow;
    if (flow.ipVersion !== 6) {
      return this.hashIpv4(client3, server3, (clientPort << 16) | serverPort, ipProtocol);
    }
    const client = this.#hashEnd(flow.client0, flow.client1, flow.client2, client3, clientPort);
    const server = this.#hashEnd(flow.server0, flow.server1, flow.server2, server3, serverPort);
    return mix((client + server) ^ ipProtocol, this.#wordKey);
  }
}
