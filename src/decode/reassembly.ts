// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition, SignalDefinition } from "../metrics/metric.ts";
import { add, i32, u8 } from "../util/typed.ts";
import { BLOCK, FragmentPool, HEADROOM, LONGEST_DATAGRAM, SlotState } from "./fragment-pool.ts";
import { Fragment } from "./ip-datagram.ts";
import type { Packet } from "./packet.ts";
import type { DecodeContext } from "./protocol.ts";

const VERSIONS = ["ipv4", "ipv6"] as const;
const RESULTS = ["reassembled", "timed_out", "no_room", "overlapping", "unusable"] as const;
const Result = { REASSEMBLED: 0, TIMED_OUT: 1, NO_ROOM: 2, OVERLAPPING: 3, UNUSABLE: 4 } as const;
const { WHOLE, FIRST, LATER } = Fragment;
const { FREE, OPEN, REFUSED } = SlotState;

export const fragmentsSeen: MetricDefinition = {
  name: "nam_ip_fragments_total",
  help: "Fragments of IP datagrams; a datagram in one piece that only looks like one is not counted.",
  type: "counter",
  labels: { version: VERSIONS },
};

export const reassemblies: MetricDefinition = {
  name: "nam_ip_reassembly_total",
  help: "What became of fragmented datagrams: put together, given up after 30 s, pushed out by others, refused because fragments overlap. unusable counts single fragments: cut by the capture, of a wrong length, or beyond 65535 bytes.",
  type: "counter",
  labels: { version: VERSIONS, result: RESULTS },
};

export const fragmentSignals: readonly SignalDefinition[] = [
  { name: "ip_fragments", help: "IP fragments", metric: fragmentsSeen, unit: "packets" },
  {
    name: "ip_fragments_overlapping",
    help: "datagrams with overlapping fragments",
    metric: reassemblies,
    where: { result: "overlapping" },
    unit: "packets",
  },
];

/**
 * Puts the fragments of one IP version together. A fragment that is kept counts by its IP protocol; the frame that
 * completes the datagram is decoded as if it had carried it whole.
 *
 * Datagrams whose fragments overlap are refused whole, as RFC 8200 §4.5 and RFC 5722 want for IPv6, and as Linux
 * does for IPv4 too: whichever bytes were preferred, some receiver prefers the others. The same bytes once more are
 * no overlap but a duplicate.
 */
export class Reassembly {
  readonly #counters: Float64Array;
  readonly #seen: number;
  readonly #results: number;
  /** Made with the first fragment: most networks never show one. */
  #pool: FragmentPool | undefined;

  constructor(context: DecodeContext, version: (typeof VERSIONS)[number]) {
    const index = VERSIONS.indexOf(version);
    this.#counters = context.counters;
    this.#seen = context.base(fragmentsSeen) + index;
    this.#results = context.base(reassemblies) + index * RESULTS.length;
  }

  /**
   * Takes the fragment at `[packet.at, packet.sentEnd)` that lies at `offset` of its datagram. Sets `packet.fragment`: WHOLE
   * where the packet now shows the datagram put together, in memory of the pool, LATER where nothing can be decoded
   * of it, FIRST where it begins a datagram that will not be put together. Returns the protocol of the datagram.
   */
  take(
    packet: Packet,
    identification: number,
    offset: number,
    more: boolean,
    next: number,
  ): number {
    add(this.#counters, this.#seen, 1);
    packet.fragment = LATER;
    const length = packet.sentEnd - packet.at;
    if (!isUsable(packet, offset, length, more)) {
      this.#count(Result.UNUSABLE);
      if (offset === 0) {
        packet.fragment = FIRST;
        packet.cut = true;
      }
      return next;
    }
    this.#pool ??= new FragmentPool();
    const pool = this.#pool;
    add(this.#counters, this.#results + Result.TIMED_OUT, pool.expire(packet.seconds));
    const slot = this.#slot(pool, packet, identification, packet.ipVersion === 4 ? next : 0);
    if (
      u8(pool.states, slot) === REFUSED ||
      !this.#accept(pool, slot, packet, offset, length, more)
    ) {
      return next;
    }
    if (offset === 0) pool.nexts[slot] = next;
    const total = i32(pool.totals, slot);
    if (total < 0 || i32(pool.counts, slot) < blocksOf(total)) return next;
    this.#count(Result.REASSEMBLED);
    pool.states[slot] = FREE;
    show(packet, pool, slot, total);
    return i32(pool.nexts, slot);
  }

  #slot(pool: FragmentPool, packet: Packet, identification: number, protocol: number): number {
    const found = pool.find(packet, identification, protocol);
    if (found >= 0) return found;
    const slot = pool.slotToUse();
    if (u8(pool.states, slot) === OPEN) this.#count(Result.NO_ROOM);
    pool.begin(slot, packet.seconds);
    return slot;
  }

  /** False for a duplicate, and for an overlap, which refuses the datagram. */
  #accept(
    pool: FragmentPool,
    slot: number,
    packet: Packet,
    offset: number,
    length: number,
    more: boolean,
  ): boolean {
    const from = offset / BLOCK;
    const to = blocksOf(offset + length);
    const present = pool.present(slot, from, to);
    const at = pool.dataAt(slot) + offset;
    if (present === to - from && sameBytes(packet, pool.view, at, length)) return false;
    const total = i32(pool.totals, slot);
    // Behind the end that a last fragment gave, or a last fragment that ends before what has come.
    const isPast =
      total >= 0 ? !more || offset + length > total : !more && i32(pool.tops, slot) > to;
    if (present > 0 || isPast) {
      this.#count(Result.OVERLAPPING);
      pool.states[slot] = REFUSED;
      return false;
    }
    copy(packet.view, packet.at, pool.view, at, length);
    pool.mark(slot, from, to);
    if (!more) pool.totals[slot] = offset + length;
    return true;
  }

  #count(result: number): void {
    add(this.#counters, this.#results + result, 1);
  }
}

const blocksOf = (bytes: number): number => Math.ceil(bytes / BLOCK);

/** False for a fragment that misses bytes, would leave a gap of less than a block, or ends beyond what a datagram can hold. */
function isUsable(packet: Packet, offset: number, length: number, more: boolean): boolean {
  if (packet.sentEnd > packet.end || length <= 0 || offset + length > LONGEST_DATAGRAM)
    return false;
  if (more && length % BLOCK !== 0) return false;
  return packet.at - packet.networkAt <= HEADROOM;
}

function sameBytes(packet: Packet, view: DataView, at: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    if (packet.view.getUint8(packet.at + i) !== view.getUint8(at + i)) return false;
  }
  return true;
}

function copy(from: DataView, fromAt: number, to: DataView, toAt: number, length: number): void {
  const words = length & ~3;
  for (let i = 0; i < words; i += 4) to.setInt32(toAt + i, from.getInt32(fromAt + i));
  for (let i = words; i < length; i++) to.setUint8(toAt + i, from.getUint8(fromAt + i));
}

/** Makes the packet show the datagram, with the headers of its own frame before it, so that their offsets hold. */
function show(packet: Packet, pool: FragmentPool, slot: number, length: number): void {
  const dataAt = pool.dataAt(slot);
  const headers = Math.min(packet.at - packet.start, HEADROOM);
  copy(packet.view, packet.at - headers, pool.view, dataAt - headers, headers);
  const shift = dataAt - packet.at;
  packet.view = pool.view;
  packet.start = dataAt - headers;
  packet.networkAt += shift;
  if (packet.ethernetAt >= 0) packet.ethernetAt += shift;
  if (packet.ethernetAt < packet.start) packet.ethernetAt = -1;
  packet.at = dataAt;
  packet.end = dataAt + length;
  packet.sentEnd = packet.end;
  packet.cut = false;
  packet.fragment = WHOLE;
}
