// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { createFlows, onFlowEvent } from "../support/flows.ts";
import { ACK, FIN, RST, SYN, tcpPacket, udpPacket, v4 } from "../support/packets.ts";

const T0 = 1_700_000_000_000;
const SECOND = 1000;
const DAY = 86_400 * SECOND;
const CLIENT = v4("10.0.0.1", 40_000);
const SERVER = v4("10.0.0.2", 443);

describe("time-outs of flows", () => {
  it.each([
    ["a datagram without answer", 60, 1, "idle"],
    ["answered datagrams", 180, 2, "idle"],
  ])("end %s after %i s of silence", (_, seconds, packets, reason) => {
    const { flows, active, counter } = createFlows();
    flows.accept(udpPacket(CLIENT, SERVER), T0);
    if (packets > 1) flows.accept(udpPacket(SERVER, CLIENT), T0);
    flows.close(T0 + seconds * SECOND - 1);
    expect(active()).toBe(1);
    flows.close(T0 + seconds * SECOND);
    expect(active()).toBe(0);
    expect(counter("nam_flows_evicted_total", { reason })).toBe(1);
  });

  // A server's segment is negative.
  it.each([
    ["half-open", 40, "idle", [SYN]],
    ["established", 300, "idle", [SYN, -(SYN | ACK), ACK]],
    ["refused", 10, "closed", [SYN, -RST]],
    ["aborted", 10, "closed", [SYN, -(SYN | ACK), RST]],
    ["closed", 20, "closed", [SYN, -(SYN | ACK), ACK, RST]],
    ["half-closed", 120, "idle", [SYN, -(SYN | ACK), ACK, FIN | ACK]],
    ["one-sided without its handshake", 30, "idle", [ACK]],
  ])("end a TCP flow that is %s after %i s", (_, seconds, reason, segments) => {
    const { flows, active, counter } = createFlows();
    for (const segment of segments) {
      const [from, to] = segment > 0 ? [CLIENT, SERVER] : [SERVER, CLIENT];
      flows.accept(tcpPacket(from, to, Math.abs(segment)), T0);
    }
    flows.close(T0 + seconds * SECOND - 1);
    expect(active()).toBe(1);
    flows.close(T0 + seconds * SECOND);
    expect(active()).toBe(0);
    expect(counter("nam_flows_evicted_total", { reason })).toBe(1);
  });

  it("hold without a window's end", () => {
    const { flows, counter } = createFlows();
    const first = flows.accept(udpPacket(CLIENT, SERVER), T0);
    flows.table.rows.setVerdict(first, 9);
    const second = flows.accept(udpPacket(CLIENT, SERVER), T0 + 60 * SECOND);
    expect(flows.table.rows.verdict(second)).toBe(0);
    expect(counter("nam_flows_started_total", { protocol: "udp" })).toBe(2);
    expect(counter("nam_flows_evicted_total", { reason: "idle" })).toBe(1);
  });

  it("survive months of packet time, in steps and in one leap", () => {
    const { flows, active } = createFlows();
    let nowMs = T0;
    let slot = -1;
    // A keep-alive every 160 s for 30 days passes the int32 range of milliseconds.
    for (; nowMs < T0 + 30 * DAY; nowMs += 160 * SECOND) {
      flows.accept(udpPacket(CLIENT, SERVER), nowMs);
      slot = flows.accept(udpPacket(SERVER, CLIENT), nowMs);
      flows.close(nowMs);
    }
    expect(flows.table.rows.packets(slot, 1)).toBe((30 * DAY) / (160 * SECOND));
    flows.accept(udpPacket(v4("10.0.0.9", 9), SERVER), nowMs + 30 * 365 * DAY);
    flows.close(nowMs + 30 * 365 * DAY);
    expect(active()).toBe(1);
  });

  it("say that a SYN went unanswered across a leap of the epoch", () => {
    const { flows, counter } = createFlows();
    flows.accept(udpPacket(CLIENT, SERVER), T0);
    flows.accept(tcpPacket(CLIENT, SERVER, SYN), T0 + 12.4 * DAY);
    flows.accept(tcpPacket(v4("10.0.0.3", 1), SERVER, SYN), T0 + 12.5 * DAY);
    flows.close(T0 + 12.5 * DAY + 3 * SECOND);
    expect(counter("nam_tcp_handshakes_total", { outcome: "unanswered" })).toBe(2);
  });

  it("are settled in portions, and none is forgotten", () => {
    const flood = 70_000;
    const { flows, counter, active } = createFlows({ capacity: 262_144 });
    for (let i = 0; i < flood; i++) {
      const source = v4(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 1000);
      flows.accept(tcpPacket(source, SERVER, SYN), T0);
    }
    const unanswered = (): number => counter("nam_tcp_handshakes_total", { outcome: "unanswered" });
    flows.close(T0 + 3 * SECOND);
    expect(unanswered()).toBeGreaterThan(0);
    expect(unanswered()).toBeLessThan(flood);
    for (let second = 4; second < 12; second++) flows.close(T0 + second * SECOND);
    const pushedOut = counter("nam_flows_evicted_total", { reason: "capacity" });
    expect(unanswered() + pushedOut).toBe(flood);
    expect(pushedOut).toBeLessThan(flood * 0.001);
    flows.close(T0 + 40 * SECOND);
    expect(active()).toBeGreaterThan(0);
    flows.close(T0 + 41 * SECOND);
    flows.close(T0 + 42 * SECOND);
    expect(active()).toBe(0);
  });

  it("are settled by new SYNs too", () => {
    const { flows, counter } = createFlows({ capacity: 65_536 });
    for (let i = 0; i < 1000; i++) {
      flows.accept(tcpPacket(v4("10.0.0.1", 1000 + i), SERVER, SYN), T0);
    }
    for (let i = 0; i < 400; i++) {
      flows.accept(tcpPacket(v4("10.0.0.2", 1000 + i), SERVER, SYN), T0 + 3 * SECOND);
    }
    expect(counter("nam_tcp_handshakes_total", { outcome: "unanswered" })).toBe(800);
  });

  it("that cannot be watched are counted", () => {
    const { flows, counter } = createFlows({ capacity: 8 });
    for (let i = 0; i < 30; i++) flows.accept(tcpPacket(v4("10.0.0.1", i), SERVER, SYN), T0 + i);
    flows.close(T0 + 10 * SECOND);
    const unanswered = counter("nam_tcp_handshakes_total", { outcome: "unanswered" });
    const missed = counter("nam_tcp_syn_timeouts_missed_total");
    const pushedOut = counter("nam_flows_evicted_total", { reason: "capacity" });
    expect([unanswered, missed, pushedOut]).toEqual([8, 22, 22]);
  });

  it("say what happened to the flow they are about", () => {
    const { flows } = createFlows();
    const seen: number[] = [];
    onFlowEvent(flows, (event, { clientPort }) => {
      if (event === "UNANSWERED") seen.push(clientPort);
    });
    flows.accept(tcpPacket(v4("10.0.0.1", 1), SERVER, SYN), T0);
    flows.accept(tcpPacket(v4("10.0.0.1", 2), SERVER, SYN), T0 + 500);
    flows.accept(tcpPacket(SERVER, v4("10.0.0.1", 1), SYN | ACK), T0 + 600);
    flows.close(T0 + 5000);
    expect(seen).toEqual([2]);
  });
});
