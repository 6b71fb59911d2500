// SPDX-License-Identifier: AGPL-3.0-or-later
import { f64, i32, u8 } from "../util/typed.ts";
import type { Packet } from "./packet.ts";

/** Datagrams in the making at once; an IPv4 or IPv6 datagram is put together within milliseconds or never. */
const SLOTS = 64;
export const LONGEST_DATAGRAM = 0xffff;
/** Room before the data for the headers of the frame that completes the datagram. */
export const HEADROOM = 512;
const SLOT_LENGTH = HEADROOM + LONGEST_DATAGRAM + 1;
/** Fragments begin at multiples of eight bytes, so this is what can be missing. */
export const BLOCK = 8;
const BLOCKS = (LONGEST_DATAGRAM + 1) / BLOCK;
const KEY_WORDS = 11;
/** RFC 8200 §4.5 says 60 s from the first fragment; Linux gives up after 30 s. */
const LIFETIME_SECONDS = 30;

/** What a slot holds: nothing, parts of a datagram, or one that was refused and is to be ignored until it expires. */
export const SlotState = { FREE: 0, OPEN: 1, REFUSED: 2 } as const;
const { FREE, OPEN } = SlotState;

/** Memory of fixed size for datagrams in the making, found by addresses, identification, protocol and VLAN. */
export class FragmentPool {
  /** The data of every slot. */
  readonly view = new DataView(new ArrayBuffer(SLOTS * SLOT_LENGTH));
  readonly states = new Uint8Array(SLOTS);
  /** Length of the whole datagram in bytes, -1 until its last fragment came. */
  readonly totals = new Int32Array(SLOTS);
  /** Blocks that have come. */
  readonly counts = new Int32Array(SLOTS);
  /** One past the last block that has come. */
  readonly tops = new Int32Array(SLOTS);
  /** What the header of the first fragment names as the next. */
  readonly nexts = new Int32Array(SLOTS);
  readonly #keys = new Int32Array(SLOTS * KEY_WORDS);
  readonly #wanted = new Int32Array(KEY_WORDS);
  readonly #blocks = new Uint8Array(SLOTS * BLOCKS);
  readonly #begun = new Float64Array(SLOTS);
  #order = 0;
  readonly #orders = new Float64Array(SLOTS);
  #sweptAt = 0;

  /** Where the data of a slot begins in `view`. */
  dataAt(slot: number): number {
    return slot * SLOT_LENGTH + HEADROOM;
  }

  /** The slot of the packet's datagram, -1 where there is none yet. `protocol` is 0 where it is no part of the key. */
  find(packet: Packet, identification: number, protocol: number): number {
    const wanted = this.#wanted;
    wanted[0] = identification;
    wanted[1] = packet.source0;
    wanted[2] = packet.source1;
    wanted[3] = packet.source2;
    wanted[4] = packet.source3;
    wanted[5] = packet.destination0;
    wanted[6] = packet.destination1;
    wanted[7] = packet.destination2;
    wanted[8] = packet.destination3;
    wanted[9] = protocol;
    wanted[10] = packet.vlanId;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (u8(this.states, slot) !== FREE && this.#matches(slot)) return slot;
    }
    return -1;
  }

  #matches(slot: number): boolean {
    const at = slot * KEY_WORDS;
    for (let word = 0; word < KEY_WORDS; word++) {
      if (i32(this.#keys, at + word) !== i32(this.#wanted, word)) return false;
    }
    return true;
  }

  /** A free slot, else the oldest: whoever fills the pool with datagrams that never end pushes out his own. */
  slotToUse(): number {
    let oldest = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (u8(this.states, slot) === FREE) return slot;
      if (f64(this.#orders, slot) < f64(this.#orders, oldest)) oldest = slot;
    }
    return oldest;
  }

  /** Opens a slot for the datagram that `find` looked for last. */
  begin(slot: number, seconds: number): void {
    this.states[slot] = OPEN;
    this.totals[slot] = -1;
    this.counts[slot] = 0;
    this.tops[slot] = 0;
    this.#begun[slot] = seconds;
    this.#orders[slot] = ++this.#order;
    this.#keys.set(this.#wanted, slot * KEY_WORDS);
    this.#blocks.fill(0, slot * BLOCKS, (slot + 1) * BLOCKS);
  }

  /** How many of the blocks `[from, to)` have come. */
  present(slot: number, from: number, to: number): number {
    const base = slot * BLOCKS;
    let count = 0;
    for (let block = from; block < to; block++) count += u8(this.#blocks, base + block);
    return count;
  }

  mark(slot: number, from: number, to: number): void {
    this.#blocks.fill(1, slot * BLOCKS + from, slot * BLOCKS + to);
    this.counts[slot] = i32(this.counts, slot) + to - from;
    if (to > i32(this.tops, slot)) this.tops[slot] = to;
  }

  /** Frees the slots whose time is over, at most once a second; returns how many of them were open. */
  expire(seconds: number): number {
    if (seconds === this.#sweptAt) return 0;
    this.#sweptAt = seconds;
    let expired = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (u8(this.states, slot) === FREE) continue;
      if (seconds - f64(this.#begun, slot) < LIFETIME_SECONDS) continue;
      if (u8(this.states, slot) === OPEN) expired++;
      this.states[slot] = FREE;
    }
    return expired;
  }
}
