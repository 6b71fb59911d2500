// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../decode/packet.ts";
import { f64, i32, u8 } from "../util/typed.ts";
import { hashAddress, hashBytes, hashKey, mix } from "./hash.ts";
import type { FlowKey } from "./tracker.ts";

/** Queries that wait for their response, or had it of late. */
const CAPACITY = 16_384;
/** Queries that share a bucket; in a full one the oldest makes room. */
const WAYS = 8;
/** A query without a response after so long has timed out: what resolvers wait at most (BIND, glibc). */
const TIMEOUT_MS = 5_000;
/** A response that comes later than this is one that nobody asked for. */
const FORGET_MS = 30_000;
const END_WORDS = 8;

const FREE = 0;
const WAITING = 1;
const ANSWERED = 2;
const TIMED_OUT = 3;

/** What a response is to the query it belongs to. */
export const Match = {
  /** The first response, in time. */
  ANSWER: 0,
  /** A further response, or one after the time-out. */
  LATE: 1,
  /** Nobody asked. */
  UNSOLICITED: 2,
} as const;

/** What is read of a message. */
interface Message {
  readonly id: number;
  readonly queryType: number;
  readonly name: { readonly bytes: Uint8Array; readonly length: number };
}

/** Both ends of a query, one reused object. */
export type QueryEnds = Omit<
  FlowKey,
  "slot" | "ipProtocol" | "ipVersion" | "timeMs" | "side" | "tcpFlags" | "lengthBytes" | "state"
>;

export function emptyEnds(): QueryEnds {
  return {
    ...{ client0: 0, client1: 0, client2: 0, client3: 0, clientPort: 0 },
    ...{ server0: 0, server1: 0, server2: 0, server3: 0, serverPort: 0 },
  };
}

/** Sets the ends of a query, or of a response, from its packet. */
export function setEnds(ends: QueryEnds, packet: Packet, isResponse: boolean): void {
  ends.client0 = isResponse ? packet.destination0 : packet.source0;
  ends.client1 = isResponse ? packet.destination1 : packet.source1;
  ends.client2 = isResponse ? packet.destination2 : packet.source2;
  ends.client3 = isResponse ? packet.destination3 : packet.source3;
  ends.server0 = isResponse ? packet.source0 : packet.destination0;
  ends.server1 = isResponse ? packet.source1 : packet.destination1;
  ends.server2 = isResponse ? packet.source2 : packet.destination2;
  ends.server3 = isResponse ? packet.source3 : packet.destination3;
  ends.clientPort = isResponse ? packet.destinationPort : packet.sourcePort;
  ends.serverPort = isResponse ? packet.sourcePort : packet.destinationPort;
}

/** What the table says while it works. */
export interface TransactionEvents {
  /** The query between `ends` has timed out. */
  timedOut(ends: QueryEnds): void;
  /** Queries that waited had to make room. */
  evicted(count: number): void;
}

/**
 * Matches responses to queries by both addresses and ports, the message's id, and its question, in memory that never
 * grows. The latency of a query that is sent again counts from the first time.
 */
export class DnsTransactions {
  /** Seconds from query to response, to the nanosecond as captured, of the last Match.ANSWER. */
  latency = 0;
  readonly #key: number = 0;
  readonly #otherKey: number = 0;
  readonly #events: TransactionEvents;
  readonly #states = new Uint8Array(CAPACITY);
  readonly #hashes = new Int32Array(CAPACITY);
  readonly #prints = new Int32Array(CAPACITY);
  readonly #seconds = new Int32Array(CAPACITY);
  readonly #nanoseconds = new Int32Array(CAPACITY);
  readonly #sentMs = new Float64Array(CAPACITY);
  /** Addresses of client and server. */
  readonly #ends = new Int32Array(CAPACITY * END_WORDS);
  #hash = 0;
  #print = 0;
  #size = 0;

  constructor(hashSeed: number, events: TransactionEvents) {
    this.#key = hashKey(hashSeed, "dns query");
    this.#otherKey = hashKey(hashSeed, "dns query print");
    this.#events = events;
  }

  /** Queries held now. */
  get size(): number {
    return this.#size;
  }

  /** Notes a query. True where it was sent before and still waits. */
  ask(packet: Packet, message: Message, ends: QueryEnds, timeMs: number): boolean {
    this.#locate(message, ends);
    let place = this.#find();
    if (place >= 0 && this.#isWaiting(place, ends, timeMs)) return true;
    if (place < 0) place = this.#place();
    this.#states[place] = WAITING;
    this.#hashes[place] = this.#hash;
    this.#prints[place] = this.#print;
    this.#seconds[place] = packet.seconds;
    this.#nanoseconds[place] = packet.nanoseconds;
    this.#sentMs[place] = timeMs;
    const at = place * END_WORDS;
    this.#ends[at] = ends.client0;
    this.#ends[at + 1] = ends.client1;
    this.#ends[at + 2] = ends.client2;
    this.#ends[at + 3] = ends.client3;
    this.#ends[at + 4] = ends.server0;
    this.#ends[at + 5] = ends.server1;
    this.#ends[at + 6] = ends.server2;
    this.#ends[at + 7] = ends.server3;
    return false;
  }

  /** Finds a response's query; returns a Match, and sets `latency` for the first response. */
  answer(packet: Packet, message: Message, ends: QueryEnds, timeMs: number): number {
    this.#locate(message, ends);
    const place = this.#find();
    if (place < 0) return Match.UNSOLICITED;
    if (!this.#isWaiting(place, ends, timeMs)) return Match.LATE;
    this.#states[place] = ANSWERED;
    const seconds = packet.seconds - i32(this.#seconds, place);
    const nanoseconds = packet.nanoseconds - i32(this.#nanoseconds, place);
    // Captures of several interfaces are not always in order.
    this.latency = Math.max(0, seconds + nanoseconds / 1e9);
    return Match.ANSWER;
  }

  /** Says which queries have timed out, their addresses in `ends`, and forgets old ones. */
  settle(timeMs: number, ends: QueryEnds): void {
    if (this.#size === 0) return;
    for (let place = 0; place < CAPACITY; place++) {
      const state = u8(this.#states, place);
      if (state === FREE) continue;
      const ageMs = timeMs - f64(this.#sentMs, place);
      if (ageMs < TIMEOUT_MS) continue;
      if (state === WAITING) {
        this.#readEnds(place, ends);
        this.#events.timedOut(ends);
      }
      const isOver = state === ANSWERED || ageMs >= FORGET_MS;
      this.#states[place] = isOver ? FREE : TIMED_OUT;
      if (isOver) this.#size--;
    }
  }

  /** True for a query that waits; one that has done so for too long is said to have timed out now. */
  #isWaiting(place: number, ends: QueryEnds, timeMs: number): boolean {
    if (u8(this.#states, place) !== WAITING) return false;
    if (timeMs - f64(this.#sentMs, place) < TIMEOUT_MS) return true;
    this.#states[place] = TIMED_OUT;
    this.#events.timedOut(ends);
    return false;
  }

  #locate(message: Message, ends: QueryEnds): void {
    const { client0, client1, client2, client3, server0, server1, server2, server3 } = ends;
    const { bytes, length } = message.name;
    const question = hashBytes(bytes, 0, length, this.#key) ^ message.queryType;
    const ports = ends.clientPort | (ends.serverPort << 16);
    const client = hashAddress(client0, client1, client2, client3, this.#key);
    const server = hashAddress(server0, server1, server2, server3, this.#otherKey);
    const all = mix(
      mix(mix(client ^ ports, this.#key) ^ server, this.#key) ^ message.id,
      this.#key,
    );
    this.#hash = mix(all ^ question, this.#key);
    this.#print = mix(mix(all ^ ports, this.#otherKey) ^ question, this.#otherKey);
  }

  #find(): number {
    const first = this.#bucket();
    for (let place = first; place < first + WAYS; place++) {
      if (u8(this.#states, place) === FREE) continue;
      if (i32(this.#hashes, place) === this.#hash && i32(this.#prints, place) === this.#print) {
        return place;
      }
    }
    return -1;
  }

  #place(): number {
    const first = this.#bucket();
    let oldest = first;
    for (let place = first; place < first + WAYS; place++) {
      if (u8(this.#states, place) === FREE) {
        this.#size++;
        return place;
      }
      if (f64(this.#sentMs, place) < f64(this.#sentMs, oldest)) oldest = place;
    }
    // An answered query has had its use.
    if (u8(this.#states, oldest) === WAITING) this.#events.evicted(1);
    return oldest;
  }

  #bucket(): number {
    return (this.#hash & (CAPACITY / WAYS - 1)) * WAYS;
  }

  #readEnds(place: number, ends: QueryEnds): void {
    const at = place * END_WORDS;
    ends.client0 = i32(this.#ends, at);
    ends.client1 = i32(this.#ends, at + 1);
    ends.client2 = i32(this.#ends, at + 2);
    ends.client3 = i32(this.#ends, at + 3);
    ends.server0 = i32(this.#ends, at + 4);
    ends.server1 = i32(this.#ends, at + 5);
    ends.server2 = i32(this.#ends, at + 6);
    ends.server3 = i32(this.#ends, at + 7);
  }
}
