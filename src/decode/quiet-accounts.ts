// SPDX-License-Identifier: AGPL-3.0-or-later
import type { CellLayout } from "../metrics/cells.ts";
import { add, f64, i32 } from "../util/typed.ts";
import { bucketOf, SIZE_BUCKETS } from "./accounts.ts";
import {
  applicationFamily,
  DIRECTIONS,
  type Family,
  networkFamily,
  packetSize,
  transportFamily,
} from "./families.ts";
import { TcpFlag } from "./packet.ts";
import { TCP_FLAG_CELLS, tcpSegments } from "./tcp.ts";

const DIRECTION_COUNT = DIRECTIONS.length;
const TRANSPORTS = ["udp", "tcp"] as const;
/** Applications that a verdict can name. */
const APPLICATIONS = 256;
const ROW = APPLICATIONS * DIRECTION_COUNT;

/**
 * Counts packets in which nothing is to be looked at: IPv4, UDP or TCP with no flag but ACK and PSH, without a fault. The
 * families overlap, so a packet costs three additions here and `flush` adds the sums to all of them.
 */
export class QuietAccounts {
  readonly #counters: Float64Array;
  readonly #layout: CellLayout;
  /** By transport, application and direction. */
  readonly #packets = new Int32Array(TRANSPORTS.length * ROW);
  readonly #bytes = new Float64Array(TRANSPORTS.length * ROW);
  readonly #sizes = new Int32Array(SIZE_BUCKETS);
  #pushes = 0;

  constructor(layout: CellLayout, counters: Float64Array) {
    this.#layout = layout;
    this.#counters = counters;
  }

  /** Counts one packet; `tcpFlags` is 0 for UDP, `application` the position in its family, 0 without payload. */
  add(tcpFlags: number, application: number, direction: number, wireLength: number): void {
    const transport = tcpFlags === 0 ? 0 : ROW;
    const cell = transport + application * DIRECTION_COUNT + direction;
    this.#packets[cell] = i32(this.#packets, cell) + 1;
    this.#bytes[cell] = f64(this.#bytes, cell) + wireLength;
    const bucket = bucketOf(wireLength);
    this.#sizes[bucket] = i32(this.#sizes, bucket) + 1;
    this.#pushes += (tcpFlags & TcpFlag.PSH) >>> 3;
  }

  /** Adds what was counted since the last call to the cells of the families. */
  flush(): void {
    const sizes = this.#layout.base(packetSize);
    for (let bucket = 0; bucket < SIZE_BUCKETS; bucket++) {
      add(this.#counters, sizes + bucket, i32(this.#sizes, bucket));
    }
    this.#sizes.fill(0);
    for (const [transport, name] of TRANSPORTS.entries()) this.#flushTransport(transport, name);
    this.#flushSegments();
    this.#packets.fill(0);
    this.#bytes.fill(0);
  }

  #flushTransport(transport: number, name: string): void {
    const applications = applicationFamily.names.length;
    for (let at = 0; at < applications * DIRECTION_COUNT; at++) {
      const packets = i32(this.#packets, transport * ROW + at);
      if (packets === 0) continue;
      const bytes = f64(this.#bytes, transport * ROW + at);
      const direction = at % DIRECTION_COUNT;
      this.#addTo(networkFamily, networkFamily.names.indexOf("ipv4"), direction, packets, bytes);
      this.#addTo(transportFamily, transportFamily.names.indexOf(name), direction, packets, bytes);
      this.#addTo(applicationFamily, Math.floor(at / DIRECTION_COUNT), direction, packets, bytes);
      add(this.#counters, this.#layout.base(packetSize) + SIZE_BUCKETS, bytes);
    }
  }

  #addTo(family: Family, position: number, direction: number, packets: number, bytes: number) {
    const cell = position * DIRECTION_COUNT + direction;
    add(this.#counters, this.#layout.base(family.packets) + cell, packets);
    add(this.#counters, this.#layout.base(family.bytes) + cell, bytes);
  }

  #flushSegments(): void {
    const segments = this.#layout.base(tcpSegments);
    let packets = 0;
    for (let at = ROW; at < this.#packets.length; at++) packets += i32(this.#packets, at);
    add(this.#counters, segments + TCP_FLAG_CELLS.ACK, packets);
    add(this.#counters, segments + TCP_FLAG_CELLS.PSH, this.#pushes);
    this.#pushes = 0;
  }
}
