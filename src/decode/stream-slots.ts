// SPDX-License-Identifier: AGPL-3.0-or-later
import { f64, i32 } from "../util/typed.ts";
import type { Packet } from "./packet.ts";

/** Slots that a stream may be in: a look-up looks at no more. */
const WAYS = 4;
/** 2^32 divided by the golden ratio: spreads neighbouring flows over the sets. */
const SPREAD = 0x9e3779b1;
const FREE = -0x80000000;

/** No slot. */
export const NO_SLOT = -1;

/**
 * Which stream (one side of a flow) has which of a fixed number of slots. The flow's slot leads there; addresses,
 * ports and the flow's packet count tell a new flow in an old slot of the flow table. Packets without a flow (`flow`
 * -1) are told apart by addresses and ports alone.
 */
export class StreamSlots {
  readonly capacity: number;
  readonly #setMask: number = 0;
  readonly #keys: Int32Array;
  readonly #addresses: Int32Array;
  readonly #ports: Int32Array;
  readonly #flowPackets: Int32Array;
  readonly #sinceMs: Float64Array;
  #taken = 0;

  /** `count` is rounded up to a power of two of at least four. */
  constructor(count: number) {
    this.capacity = 1 << Math.max(2, Math.ceil(Math.log2(count)));
    this.#setMask = this.capacity / WAYS - 1;
    this.#keys = new Int32Array(this.capacity).fill(FREE);
    this.#addresses = new Int32Array(this.capacity);
    this.#ports = new Int32Array(this.capacity);
    this.#flowPackets = new Int32Array(this.capacity);
    this.#sinceMs = new Float64Array(this.capacity);
  }

  /** The slot of the packet's side of its flow, NO_SLOT without one. */
  find(packet: Packet): number {
    if (this.#taken === 0) return NO_SLOT;
    const slot = this.#slotOf(packet);
    if (slot === NO_SLOT || packet.flowPackets < i32(this.#flowPackets, slot)) return NO_SLOT;
    this.#flowPackets[slot] = packet.flowPackets;
    return slot;
  }

  /** Where the packet's stream would go: what an earlier flow left there, a free slot, or the one taken longest ago. */
  place(packet: Packet): number {
    const left = this.#slotOf(packet);
    if (left !== NO_SLOT) return left;
    const first = this.#setOf(keyOf(packet));
    let oldest = first;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (!this.isTaken(slot)) return slot;
      if (f64(this.#sinceMs, slot) < f64(this.#sinceMs, oldest)) oldest = slot;
    }
    return oldest;
  }

  isTaken(slot: number): boolean {
    return i32(this.#keys, slot) !== FREE;
  }

  /** Gives a slot that is free to the packet's stream. */
  take(slot: number, packet: Packet): void {
    this.#taken++;
    this.#keys[slot] = keyOf(packet);
    this.#addresses[slot] = addressesOf(packet);
    this.#ports[slot] = portsOf(packet);
    this.#flowPackets[slot] = packet.flowPackets;
    this.restart(slot, packet);
  }

  release(slot: number): void {
    if (!this.isTaken(slot)) return;
    this.#keys[slot] = FREE;
    this.#taken--;
  }

  /** Counts the slot's age from this packet on. */
  restart(slot: number, packet: Packet): void {
    this.#sinceMs[slot] = timeMs(packet);
  }

  /** Milliseconds of packet time since the slot was taken or restarted; negative where packet time went back. */
  ageMs(slot: number, packet: Packet): number {
    return timeMs(packet) - f64(this.#sinceMs, slot);
  }

  #slotOf(packet: Packet): number {
    const key = keyOf(packet);
    const first = this.#setOf(key);
    for (let slot = first; slot < first + WAYS; slot++) {
      if (i32(this.#keys, slot) !== key || i32(this.#ports, slot) !== portsOf(packet)) continue;
      if (i32(this.#addresses, slot) === addressesOf(packet)) return slot;
    }
    return NO_SLOT;
  }

  #setOf(key: number): number {
    return ((Math.imul(key, SPREAD) >>> 16) & this.#setMask) * WAYS;
  }
}

function keyOf(packet: Packet): number {
  return (packet.flow << 1) | packet.flowSide;
}

function timeMs(packet: Packet): number {
  return packet.seconds * 1000 + packet.nanoseconds / 1e6;
}

function portsOf(packet: Packet): number {
  return packet.sourcePort | (packet.destinationPort << 16);
}

/** Both addresses as one word: enough beside the flow's slot. */
function addressesOf(packet: Packet): number {
  const source = packet.source0 ^ packet.source1 ^ packet.source2 ^ packet.source3;
  const destination =
    packet.destination0 ^ packet.destination1 ^ packet.destination2 ^ packet.destination3;
  return Math.imul(source, SPREAD) ^ destination ^ packet.ipProtocol;
}
