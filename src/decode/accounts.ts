// SPDX-License-Identifier: AGPL-3.0-or-later
import type { CellLayout } from "../metrics/cells.ts";
import { add } from "../util/typed.ts";
import {
  applicationFamily,
  DIRECTIONS,
  frameErrors,
  networkFamily,
  packetSize,
  REASONS,
  transportFamily,
} from "./families.ts";
import type { Packet } from "./packet.ts";
import { Stop } from "./protocol.ts";

/** Bounds of `packetSize`, in the shape in which they are found fastest. */
const SMALLEST = 64;
const LAST_POWER = 1024;
const ETHERNET_FRAME = 1518;
const JUMBO_FRAME = 9000;
const BITS_BELOW_SMALLEST = 26;
const ETHERNET_BUCKET = 5;
const JUMBO_BUCKET = 6;
const INFINITE_BUCKET = 7;
/** Buckets of `packetSize`; its sum follows them. */
export const SIZE_BUCKETS = 8;
const SUM = SIZE_BUCKETS;
const DIRECTION_COUNT = DIRECTIONS.length;

/** Adds packets to the families that every packet is counted in. */
export class Accounts {
  readonly #counters: Float64Array;
  // First cells. They begin as numbers, so that the engine keeps them as such.
  readonly #networkPackets: number = 0;
  readonly #networkBytes: number = 0;
  readonly #transportPackets: number = 0;
  readonly #transportBytes: number = 0;
  readonly #applicationPackets: number = 0;
  readonly #applicationBytes: number = 0;
  readonly #errors: number = 0;
  readonly #sizes: number = 0;

  constructor(layout: CellLayout, counters: Float64Array) {
    this.#counters = counters;
    this.#networkPackets = layout.base(networkFamily.packets);
    this.#networkBytes = layout.base(networkFamily.bytes);
    this.#transportPackets = layout.base(transportFamily.packets);
    this.#transportBytes = layout.base(transportFamily.bytes);
    this.#applicationPackets = layout.base(applicationFamily.packets);
    this.#applicationBytes = layout.base(applicationFamily.bytes);
    this.#errors = layout.base(frameErrors);
    this.#sizes = layout.base(packetSize);
  }

  /** Counts one packet as far as it was decoded. */
  add(packet: Packet): void {
    const counters = this.#counters;
    const { direction, wireLength, fault } = packet;
    const network = packet.network * DIRECTION_COUNT + direction;
    add(counters, this.#networkPackets + network, 1);
    add(counters, this.#networkBytes + network, wireLength);
    const transport = packet.transport * DIRECTION_COUNT + direction;
    add(counters, this.#transportPackets + transport, 1);
    add(counters, this.#transportBytes + transport, wireLength);
    const application = packet.application * DIRECTION_COUNT + direction;
    add(counters, this.#applicationPackets + application, 1);
    add(counters, this.#applicationBytes + application, wireLength);
    add(counters, this.#sizes + bucketOf(wireLength), 1);
    add(counters, this.#sizes + SUM, wireLength);
    if (fault !== 0) {
      const reason = Stop.TRUNCATED - fault;
      add(counters, this.#errors + packet.faultLayer * REASONS.length + reason, 1);
    }
  }
}

/** Position of a length in the buckets; a logarithm finds the ones that are powers of two. */
export function bucketOf(length: number): number {
  if (length <= LAST_POWER) {
    return length <= SMALLEST ? 0 : BITS_BELOW_SMALLEST - Math.clz32(length - 1);
  }
  if (length <= ETHERNET_FRAME) return ETHERNET_BUCKET;
  return length <= JUMBO_FRAME ? JUMBO_BUCKET : INFINITE_BUCKET;
}
