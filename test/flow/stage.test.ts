// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { emptyPacket } from "../../src/decode/packet.ts";
import { trackers } from "../../src/flow/all.ts";
import { DISTINCT, SlidingDistinct } from "../../src/flow/distinct.ts";
import { flowGauges, flowMetrics, flowSignals } from "../../src/flow/families.ts";
import { FlowStage } from "../../src/flow/stage.ts";
import { CellLayout } from "../../src/metrics/cells.ts";
import { APPLICATION_NAMES, FlowHarness, NETWORK_NAMES } from "../support/flow-harness.ts";
import { heldMemory } from "../support/memory.ts";
import { ACK, type End, Protocol, SYN, tcpPacket, v4, v6 } from "../support/packets.ts";

const SERVER = v4("10.0.0.2", 80);
const MIB = 2 ** 20;
const SOURCES = 1_000_000;

function createStage(names: { network?: string[]; application?: string[] } = {}): FlowStage {
  const layout = new CellLayout(flowMetrics);
  const gaugeLayout = new CellLayout(flowGauges);
  return new FlowStage({
    layout,
    counters: new Float64Array(layout.size),
    gaugeLayout,
    gauges: new Float64Array(gaugeLayout.size),
    ...{ hashSeed: 1, flowCapacity: 262_144 },
    networkNames: names.network ?? NETWORK_NAMES,
    applicationNames: names.application ?? APPLICATION_NAMES,
  });
}

function source(index: number): End {
  return { words: [0, 0, 0xffff, Math.imul(index + 1, 0x9e3779b1)], port: 1024 + (index % 60_000) };
}

describe("FlowStage", () => {
  it("gives every packet of a flow the verdict kept with it", () => {
    const harness = new FlowHarness();
    const packet = harness.tcp(v4("10.0.0.1", 5), SERVER, SYN);
    expect(harness.stage.lookup(packet, harness.nowMs)).toBe(0);
    harness.stage.keep(packet, 42, harness.nowMs);
    const answer = harness.tcp(SERVER, v4("10.0.0.1", 5), SYN | ACK);
    expect(answer.flowSide).toBe(1);
    expect(harness.stage.lookup(answer, harness.nowMs)).toBe(42);
  });

  it("says of TCP whether its beginning was seen", () => {
    const harness = new FlowHarness();
    const seen = v4("10.0.0.1", 5);
    const midway = v4("10.0.0.1", 6);
    harness.tcp(seen, SERVER, SYN);
    expect(harness.tcp(SERVER, seen, SYN | ACK).flowMidway).toBe(false);
    expect(harness.tcp(midway, SERVER, ACK).flowMidway).toBe(true);
    expect(harness.tcp(SERVER, midway, ACK).flowMidway).toBe(true);
    expect(harness.tcp(midway, SERVER, ACK).flowMidway).toBe(true);
    expect(harness.udp(midway, SERVER).flowMidway).toBe(false);
  });

  it("gives a packet that is not IP no flow", () => {
    const harness = new FlowHarness();
    const packet = Object.assign(emptyPacket({}), { flow: 7, flowSide: 1 });
    expect(harness.stage.lookup(packet, harness.nowMs)).toBe(0);
    expect([packet.flow, packet.flowSide]).toEqual([-1, 0]);
    harness.stage.keep(packet, 9, harness.nowMs);
    harness.stage.packet(packet, harness.nowMs);
    harness.close();
    expect(harness.gauge("nam_flows_active")).toBe(0);
  });

  it("puts fragments without ports into a flow of their own", () => {
    const harness = new FlowHarness();
    const client = v4("10.0.0.1", 5);
    const first = harness.udp(client, SERVER).flow;
    const fields = { ipProtocol: Protocol.UDP, hasTransport: false };
    const later = harness.send(client, SERVER, fields).flow;
    expect(later).not.toBe(first);
    expect(harness.send(client, SERVER, fields).flow).toBe(later);
    const segment = { ipProtocol: Protocol.TCP, hasTransport: false };
    harness.send(client, SERVER, segment);
    expect(harness.close(1000).contacts).toMatchObject([{ protocol: "udp", contacts: 2 }]);
  });

  it("counts flows by protocol, and says how many there are", () => {
    const harness = new FlowHarness();
    harness.tcp(v4("10.0.0.1", 1), SERVER, SYN);
    harness.tcp(v4("10.0.0.1", 2), SERVER, SYN);
    harness.udp(v4("10.0.0.1", 1), SERVER);
    for (const ipProtocol of [Protocol.ICMP, Protocol.ICMPV6, 47, 50]) {
      harness.send(v6(1), v6(2), { ipProtocol });
    }
    harness.close(1000);
    const by = (protocol: string): number[] => [
      harness.counter("nam_flows_started_total", { protocol }),
      harness.gauge("nam_flows_active", { protocol }),
    ];
    expect(by("tcp")).toEqual([2, 2]);
    expect(by("udp")).toEqual([1, 1]);
    expect(by("icmp")).toEqual([1, 1]);
    expect(by("icmpv6")).toEqual([1, 1]);
    expect(by("other")).toEqual([2, 2]);
    expect(harness.gauge("nam_tracker_entities", { tracker: "contacts" })).toBe(2);
    harness.close(400_000);
    expect(harness.gauge("nam_flows_active")).toBe(0);
    expect(harness.counter("nam_flows_evicted_total", { reason: "idle" })).toBe(7);
  });

  it("says the same of the same packets, and the same rows under another seed", () => {
    const run = (): unknown => {
      const harness = new FlowHarness();
      for (let i = 0; i < 500; i++) {
        harness.tcp(v4("10.0.0.1", 1000 + i), v4("10.0.0.2", 1 + (i % 50)), SYN);
        harness.wait(10);
      }
      return [harness.close(), harness.close(5000)];
    };
    expect(run()).toEqual(run());
  });

  it("hands over distinct sketches of the window, by who opened the flow", () => {
    const harness = new FlowHarness(65_536);
    for (let i = 0; i < 300; i++) {
      harness.tcp(source(i), SERVER, SYN);
      harness.tcp(SERVER, source(i), SYN | ACK);
      harness.tcp(source(i), SERVER, ACK);
    }
    const sliding = new SlidingDistinct();
    harness.wait(1);
    const first = harness.stage.close(harness.nowMs);
    sliding.accept(first.sketches, harness.nowMs);
    expect(Math.abs(sliding.estimate("sources") - 300)).toBeLessThan(20);
    expect(sliding.estimate("destinations")).toBe(1);
    expect(sliding.estimate("destination_ports")).toBe(1);
    // Flows that go on count in the next window too, whoever sends first; those that are silent do not.
    harness.wait(500);
    harness.tcp(SERVER, source(7), ACK);
    harness.tcp(SERVER, source(8), ACK);
    harness.tcp(source(7), SERVER, ACK);
    const second = harness.stage.close(harness.nowMs + 500);
    const alone = new SlidingDistinct();
    alone.accept(second.sketches, harness.nowMs);
    expect(DISTINCT.map((name) => alone.estimate(name))).toEqual([2, 1, 1]);
  });

  it("holds everything it will ever hold from the start, in less than 80 MiB", () => {
    const before = heldMemory().arrayBuffers;
    const stage = createStage();
    const built = heldMemory().arrayBuffers;
    expect(built - before).toBeLessThan(80 * MIB);
    const packet = tcpPacket(v4("10.0.0.1", 1), SERVER, SYN);
    const rows: number[] = [];
    for (let i = 0; i < SOURCES; i++) {
      packet.source3 = Math.imul(i + 1, 0x9e3779b1);
      const timeMs = 1.7e12 + i * 0.005;
      stage.lookup(packet, timeMs);
      stage.packet(packet, timeMs);
      if (i % 200_000 !== 199_999) continue;
      const closed = stage.close(timeMs).rows;
      rows.push(closed.contacts.length, closed.handshakes.length, closed.arp.length);
    }
    expect(heldMemory().arrayBuffers - built).toBeLessThan(MIB);
    expect(Math.max(...rows)).toBeLessThanOrEqual(256);
  }, 120_000);

  it("refuses lists that do not fit", () => {
    expect(() => createStage({ network: ["other"] })).toThrow(/no protocol arp/);
    const application = Array.from({ length: 129 }, (_, i) => `p${i}`);
    expect(() => createStage({ application })).toThrow(/128/);
  });
});

describe("SlidingDistinct", () => {
  const harness = new FlowHarness();
  const sketches = (port: number): Record<string, Uint8Array> => {
    harness.udp(v4("10.0.0.1", 1), v4("10.0.0.2", port));
    harness.wait(1);
    return harness.stage.close(harness.nowMs).sketches;
  };

  it("looks back one minute", () => {
    const sliding = new SlidingDistinct();
    for (let second = 1; second <= 70; second++) sliding.accept(sketches(second), second * 1000);
    expect(Math.abs(sliding.estimate("destination_ports") - 60)).toBeLessThan(3);
    expect(sliding.estimate("sources")).toBe(1);
  });

  it("drops what lies in the future of a clock that went back, and never piles up", () => {
    const sliding = new SlidingDistinct();
    for (let i = 1; i <= 5; i++) sliding.accept(sketches(i), 1_000_000);
    sliding.accept(sketches(9), 5000);
    expect(sliding.estimate("destination_ports")).toBe(1);
    for (let i = 1; i <= 200; i++) sliding.accept(sketches(i), 6000);
    expect(sliding.estimate("destination_ports")).toBeLessThan(64);
  });
});

describe("families", () => {
  it("declares signals over metrics that exist, each under one name", () => {
    const layout = new CellLayout(flowMetrics);
    for (const { metric, where } of flowSignals) {
      expect(layout.slots(metric, where).length).toBeGreaterThan(0);
    }
    expect(new Set(flowSignals.map(({ name }) => name)).size).toBe(flowSignals.length);
  });

  it("has a cell for each tracker", () => {
    const layout = new CellLayout(flowGauges);
    const entities = flowGauges.find(({ name }) => name === "nam_tracker_entities");
    if (!entities) throw new Error("nam_tracker_entities is missing");
    expect(layout.series(entities).map(({ labels }) => labels.tracker)).toEqual(
      trackers.map(({ name }) => name),
    );
  });
});
