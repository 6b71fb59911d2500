// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../decode/packet.ts";
import type { MetricDefinition } from "../metrics/metric.ts";
import { hashAddress, hashKey, mix } from "./hash.ts";
import { estimateDistinct, mergeDistinct, observeDistinct } from "./sketch/hyperloglog.ts";

/** Names of the window's sketches and values of the `what` label. */
export const DISTINCT = ["sources", "destinations", "destination_ports"] as const;
const PRECISION = 11;
const REGISTERS = 1 << PRECISION;
const SPAN_MS = 60_000;
/** Windows of one second in the span; a clock that jumps cannot pile up more. */
const MOST_WINDOWS = 60;

/** Computed by the monitor from the sketches of all sensors; see SlidingDistinct. */
export const distinctMetric: MetricDefinition = {
  name: "nam_distinct",
  help: "Estimated distinct addresses that opened flows (sources), addresses and ports they were opened to, over the last minute; about 2 % off.",
  type: "gauge",
  labels: { what: DISTINCT },
};

/** Counts distinct ends of flows during one window. Sensors need the same seed for their sketches to merge. */
export class DistinctSketches {
  readonly #registers = DISTINCT.map(() => new Uint8Array(REGISTERS));
  readonly #key: number = 0;

  constructor(hashSeed: number) {
    this.#key = hashKey(hashSeed, "distinct");
  }

  /** Takes the first packet of a flow in this window. */
  add(packet: Packet): void {
    const { source0, source1, source2, source3 } = packet;
    const { destination0, destination1, destination2, destination3 } = packet;
    this.#addFlow(
      hashAddress(source0, source1, source2, source3, this.#key),
      hashAddress(destination0, destination1, destination2, destination3, this.#key),
      packet.flowSide === 0 ? packet.destinationPort : packet.sourcePort,
      packet.flowSide,
    );
  }

  /** The same for an IPv4 packet that was sent by one side of its flow. */
  addIpv4(
    source: number,
    destination: number,
    sourcePort: number,
    destinationPort: number,
    side: number,
  ): void {
    const port = side === 0 ? destinationPort : sourcePort;
    this.#addFlow(mix(source, this.#key), mix(destination, this.#key), port, side);
  }

  #addFlow(source: number, destination: number, port: number, side: number): void {
    this.#observe(0, side === 0 ? source : destination);
    this.#observe(1, side === 0 ? destination : source);
    if (port > 0) this.#observe(2, mix(port, this.#key));
  }

  /** The window's registers by name; the next window starts empty. */
  take(): Record<string, Uint8Array> {
    const taken: Record<string, Uint8Array> = {};
    for (const [index, name] of DISTINCT.entries()) {
      const registers = this.#registers[index] as Uint8Array;
      taken[name] = registers.slice();
      registers.fill(0);
    }
    return taken;
  }

  #observe(sketch: number, hash: number): void {
    observeDistinct(this.#registers[sketch] as Uint8Array, 0, PRECISION, hash);
  }
}

interface Held {
  readonly endMs: number;
  readonly sketches: Readonly<Record<string, Uint8Array>>;
}

/** The monitor's end: distinct counts over the windows of the last minute. */
export class SlidingDistinct {
  #held: Held[] = [];

  /** Takes a window's sketches. */
  accept(sketches: Readonly<Record<string, Uint8Array>>, endMs: number): void {
    const isRecent = (held: Held): boolean => held.endMs > endMs - SPAN_MS && held.endMs <= endMs;
    this.#held = [...this.#held.filter(isRecent), { endMs, sketches }].slice(-MOST_WINDOWS);
  }

  /** Estimate by name in DISTINCT. */
  estimate(name: (typeof DISTINCT)[number]): number {
    const union = new Uint8Array(REGISTERS);
    for (const { sketches } of this.#held) {
      const registers = sketches[name];
      if (registers) mergeDistinct(union, registers);
    }
    return Math.round(estimateDistinct(union, 0, PRECISION));
  }
}
