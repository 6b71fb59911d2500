// SPDX-License-Identifier: AGPL-3.0-or-later
import { type CaptureWindow, DROP_STAGES, type Window } from "./flow/window.ts";
import type { MetricDefinition } from "./metrics/metric.ts";
import type { CounterInstrument, GaugeInstrument, MetricsRegistry } from "./metrics/registry.ts";

const PER_INTERFACE = { interface: null, source: null } as const;

const up: MetricDefinition = {
  name: "nam_capture_up",
  help: "1 while a sensor captures on the interface, else 0.",
  type: "gauge",
  labels: PER_INTERFACE,
};
const packets: MetricDefinition = {
  name: "nam_capture_packets_total",
  help: "Packets processed; each layer family sums to it.",
  type: "counter",
  labels: PER_INTERFACE,
};
const bytes: MetricDefinition = {
  name: "nam_capture_bytes_total",
  help: "Bytes on the wire of the packets processed.",
  type: "counter",
  labels: PER_INTERFACE,
};
const received: MetricDefinition = {
  name: "nam_capture_received_packets_total",
  help: "Packets that reached the capture: processed plus every dropped one.",
  type: "counter",
  labels: PER_INTERFACE,
};
const dropped: MetricDefinition = {
  name: "nam_capture_dropped_packets_total",
  help: "Packets lost before they were processed, by the stage that lost them.",
  type: "counter",
  labels: { interface: null, stage: null },
};
const duplicates: MetricDefinition = {
  name: "nam_capture_duplicate_packets_total",
  help: "Second copies that a loopback interface delivers, left out of every other count.",
  type: "counter",
  labels: PER_INTERFACE,
};
const freezes: MetricDefinition = {
  name: "nam_capture_ring_freezes_total",
  help: "Times the capture ring stood full.",
  type: "counter",
  labels: PER_INTERFACE,
};
const ringFill: MetricDefinition = {
  name: "nam_capture_ring_fill_ratio",
  help: "Share of the capture ring that waits to be read.",
  type: "gauge",
  labels: PER_INTERFACE,
};
const lastPacket: MetricDefinition = {
  name: "nam_capture_last_packet_timestamp_seconds",
  help: "Time of the last packet, 0 before the first.",
  type: "gauge",
  labels: PER_INTERFACE,
};
const dropCounter: MetricDefinition = {
  name: "nam_capture_drop_count_supported",
  help: "1 where the capture source can count the packets that the kernel drops, else 0.",
  type: "gauge",
  labels: PER_INTERFACE,
};
const lag: MetricDefinition = {
  name: "nam_packet_lag_seconds",
  help: "How far processing was behind the packets' own time, worst of the last window.",
  type: "gauge",
};
const restarts: MetricDefinition = {
  name: "nam_sensor_restarts_total",
  help: "Sensor processes started again after they ended.",
  type: "counter",
};
const late: MetricDefinition = {
  name: "nam_window_late_total",
  help: "Windows that were merged into a later one because the monitor was busy.",
  type: "counter",
};
const clockSteps: MetricDefinition = {
  name: "nam_capture_clock_steps_total",
  help: "Times packet time stepped back or leapt.",
  type: "counter",
};

export const captureMetrics: readonly MetricDefinition[] = [
  up,
  packets,
  bytes,
  received,
  dropped,
  duplicates,
  freezes,
  ringFill,
  lastPacket,
  dropCounter,
  lag,
  restarts,
  late,
  clockSteps,
];

/** Adds what windows say of the capture to the exposed metrics; the totals outlive any sensor. */
export class CaptureMetrics {
  readonly #counters: Map<MetricDefinition, CounterInstrument>;
  readonly #gauges: Map<MetricDefinition, GaugeInstrument>;
  readonly #known = new Set<string>();

  constructor(registry: MetricsRegistry) {
    const of = (type: string): readonly MetricDefinition[] =>
      captureMetrics.filter((definition) => definition.type === type);
    this.#counters = new Map(of("counter").map((d) => [d, registry.counter(d)]));
    this.#gauges = new Map(of("gauge").map((d) => [d, registry.gauge(d)]));
  }

  /** Makes an interface's series exist at 0. */
  declare(interfaceName: string, source: string): void {
    const labels = { interface: interfaceName, source };
    const key = `${interfaceName}\n${source}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    for (const definition of [packets, bytes, received, duplicates, freezes]) {
      this.#counters.get(definition)?.init(labels);
    }
    for (const stage of DROP_STAGES) {
      this.#counters.get(dropped)?.init({ interface: interfaceName, stage });
    }
    for (const definition of [up, ringFill, lastPacket, dropCounter])
      this.#set(definition, labels, 0);
  }

  setUp(interfaceName: string, source: string, capturing: boolean): void {
    this.declare(interfaceName, source);
    this.#set(up, { interface: interfaceName, source }, capturing ? 1 : 0);
  }

  restarted(): void {
    this.#inc(restarts, {}, 1);
  }

  window(window: Window): void {
    if (window.ticks > 1) this.#inc(late, {}, window.ticks - 1);
    for (const capture of window.capture) this.#capture(capture);
    this.#set(lag, {}, Math.max(0, ...window.capture.map((capture) => capture.lagSeconds)));
  }

  #capture(capture: CaptureWindow): void {
    const labels = { interface: capture.interface, source: capture.source };
    this.declare(capture.interface, capture.source);
    this.#inc(packets, labels, capture.processed);
    this.#inc(bytes, labels, capture.bytes);
    this.#inc(received, labels, capture.received);
    this.#inc(duplicates, labels, capture.duplicates);
    this.#inc(freezes, labels, capture.ringFreezes);
    this.#inc(clockSteps, {}, capture.clockSteps);
    for (const stage of DROP_STAGES) {
      this.#inc(dropped, { interface: capture.interface, stage }, capture.dropped[stage]);
    }
    this.#set(ringFill, labels, capture.ringFill);
    this.#set(dropCounter, labels, capture.dropCounterSupported ? 1 : 0);
    if (capture.lastPacketMs > 0) this.#set(lastPacket, labels, capture.lastPacketMs / 1000);
  }

  #inc(definition: MetricDefinition, labels: Record<string, string>, amount: number): void {
    if (amount > 0) this.#counters.get(definition)?.inc(labels, amount);
  }

  #set(definition: MetricDefinition, labels: Record<string, string>, value: number): void {
    this.#gauges.get(definition)?.set(labels, value);
  }
}
