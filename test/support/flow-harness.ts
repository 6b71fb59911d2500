// SPDX-License-Identifier: AGPL-3.0-or-later
import { emptyPacket, type Packet } from "../../src/decode/packet.ts";
import { flowGauges, flowMetrics } from "../../src/flow/families.ts";
import { FlowStage } from "../../src/flow/stage.ts";
import type { TrackerRows } from "../../src/flow/window.ts";
import { CellLayout, histogramWidth } from "../../src/metrics/cells.ts";
import { cellValue } from "./cells.ts";
import { type End, type PacketFields, Protocol, setPacket } from "./packets.ts";

export const NETWORK_NAMES = ["other", "arp", "ipv4", "ipv6"];
export const APPLICATION_NAMES = ["none", "other", "dns", "http", "dhcp", "tls", "quic", "http2"];
const START_MS = 1_700_000_000_000;

/** A flow stage with a clock of its own, fed with built packets. */
export class FlowHarness {
  readonly stage: FlowStage;
  readonly packet: Packet = emptyPacket({});
  nowMs = START_MS;
  readonly #layout = new CellLayout(flowMetrics);
  readonly #counters = new Float64Array(this.#layout.size);
  readonly #gaugeLayout = new CellLayout(flowGauges);
  readonly #gauges = new Float64Array(this.#gaugeLayout.size);

  constructor(flowCapacity = 4096) {
    this.stage = new FlowStage({
      layout: this.#layout,
      counters: this.#counters,
      gaugeLayout: this.#gaugeLayout,
      gauges: this.#gauges,
      hashSeed: 1,
      flowCapacity,
      networkNames: NETWORK_NAMES,
      applicationNames: APPLICATION_NAMES,
    });
  }

  /** Puts one packet through; returns it with its flow set. */
  send(from: End, to: End, fields: PacketFields): Packet {
    return this.put(setPacket(this.packet, from, to, fields));
  }

  tcp(from: End, to: End, flags: number, payload = 0): Packet {
    return this.send(from, to, { ipProtocol: Protocol.TCP, flags, payload });
  }

  udp(from: End, to: End): Packet {
    return this.send(from, to, { ipProtocol: Protocol.UDP, payload: 20 });
  }

  put(packet: Packet): Packet {
    this.stage.lookup(packet, this.nowMs);
    this.stage.packet(packet, this.nowMs);
    return packet;
  }

  wait(ms: number): void {
    this.nowMs += ms;
  }

  /** Ends the window `afterMs` from now. */
  close(afterMs = 0): TrackerRows {
    this.wait(afterMs);
    return this.stage.close(this.nowMs).rows;
  }

  counter(name: string, where: Readonly<Record<string, string>> = {}): number {
    return cellValue(this.#layout, this.#counters, name, where);
  }

  /** Observations of a histogram without labels. */
  histogramCount(name: string): number {
    const cells = this.#histogram(name);
    return cells.slice(0, -1).reduce((sum, count) => sum + count, 0);
  }

  histogramSum(name: string): number {
    return this.#histogram(name).at(-1) ?? 0;
  }

  gauge(name: string, where: Readonly<Record<string, string>> = {}): number {
    return cellValue(this.#gaugeLayout, this.#gauges, name, where);
  }

  #histogram(name: string): Float64Array {
    const definition = flowMetrics.find((metric) => metric.name === name);
    if (!definition) throw new Error(`no metric ${name}`);
    const from = this.#layout.base(definition);
    return this.#counters.slice(from, from + histogramWidth(definition));
  }
}
