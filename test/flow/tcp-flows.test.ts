// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { formatAddress } from "../../src/util/address.ts";
import { createFlows, onFlowEvent } from "../support/flows.ts";
import { ACK, FIN, PSH, RST, SYN, tcpPacket, udpPacket, v4 } from "../support/packets.ts";

const CLIENT = v4("10.0.0.1", 40_000);
const SERVER = v4("10.0.0.2", 443);
const T0 = 1_700_000_000_000;

/** Flows of one pair that write down their events as `SYN 10.0.0.1`, the client's address. */
function observe(capacity?: number) {
  const { flows, counter } = createFlows(capacity === undefined ? {} : { capacity });
  const events: string[] = [];
  const times: number[] = [];
  onFlowEvent(flows, (event, { client0, client1, client2, client3, timeMs }) => {
    events.push(`${event} ${formatAddress(client0, client1, client2, client3)}`);
    times.push(timeMs);
  });
  const outcome = (name: string): number => counter("nam_tcp_handshakes_total", { outcome: name });
  const step = (timeMs: number, fromClient: boolean, flags: number, payload = 0): number =>
    fromClient
      ? flows.accept(tcpPacket(CLIENT, SERVER, flags, payload), T0 + timeMs)
      : flows.accept(tcpPacket(SERVER, CLIENT, flags, payload), T0 + timeMs);
  return { flows, events, times, outcome, step };
}

describe("TCP flows", () => {
  it("establishes once, and a later reset refuses nothing", () => {
    const { events, step, outcome } = observe();
    step(0, true, SYN);
    step(1, false, SYN | ACK);
    step(2, true, ACK);
    step(3, true, ACK | PSH, 100);
    step(4, false, ACK | PSH, 1000);
    step(5, false, RST);
    expect(events).toEqual([
      "STARTED 10.0.0.1",
      "SYN 10.0.0.1",
      "SYN_ACK 10.0.0.1",
      "ESTABLISHED 10.0.0.1",
      "BRIEF 10.0.0.1",
    ]);
    expect(outcome("established")).toBe(1);
    expect(outcome("refused")).toBe(0);
  });

  it("is refused by the server's reset", () => {
    const { events, step, outcome } = observe();
    step(0, true, SYN);
    step(1, false, RST | ACK);
    step(2, false, RST | ACK);
    expect(events.slice(2)).toEqual(["REFUSED 10.0.0.1"]);
    expect(outcome("refused")).toBe(1);
  });

  it("is aborted by the client's reset of the half-open connection", () => {
    const { events, step, outcome } = observe();
    step(0, true, SYN);
    step(1, false, SYN | ACK);
    step(2, true, RST);
    step(3, false, RST);
    expect(events.slice(2)).toEqual(["SYN_ACK 10.0.0.1", "ABORTED 10.0.0.1"]);
    expect(outcome("aborted")).toBe(1);
    expect(outcome("established")).toBe(0);
  });

  it("is unanswered 3 s after the first SYN, whatever is sent again", () => {
    const { flows, events, times, step, outcome } = observe();
    step(0, true, SYN);
    step(1000, true, SYN);
    flows.close(T0 + 2999);
    expect(events).toEqual(["STARTED 10.0.0.1", "SYN 10.0.0.1", "SYN 10.0.0.1"]);
    step(3000, true, SYN);
    flows.close(T0 + 4000);
    flows.close(T0 + 8000);
    expect(events.slice(4)).toEqual(["UNANSWERED 10.0.0.1"]);
    expect(times.at(-1)).toBe(T0 + 3000);
    expect(outcome("unanswered")).toBe(1);
  });

  it("can still be established after it was reported unanswered", () => {
    const { flows, events, step } = observe();
    step(0, true, SYN);
    flows.close(T0 + 3500);
    step(3600, false, SYN | ACK);
    step(3700, true, ACK);
    flows.close(T0 + 9000);
    expect(events.slice(2)).toEqual([
      "UNANSWERED 10.0.0.1",
      "SYN_ACK 10.0.0.1",
      "ESTABLISHED 10.0.0.1",
    ]);
  });

  it("is not established by the client's ACK alone", () => {
    const { flows, events, step } = observe();
    step(0, true, SYN);
    step(1, true, ACK);
    step(2, true, ACK | PSH, 50);
    flows.close(T0 + 4000);
    expect(events.at(-1)).toBe("UNANSWERED 10.0.0.1");
  });

  it("is established by the server's data when the SYN-ACK was not seen", () => {
    const { events, step } = observe();
    step(0, true, SYN);
    step(1, false, ACK | PSH, 10);
    expect(events.at(-1)).toBe("ESTABLISHED 10.0.0.1");
  });

  it("counts each SYN, and of the SYN-ACKs those that answer one", () => {
    const { events, step } = observe();
    step(0, true, SYN);
    step(1, false, SYN | ACK);
    step(2, false, SYN | ACK);
    step(3, true, SYN);
    step(4, false, SYN | ACK);
    const said = events.slice(1).map((event) => event.split(" ")[0]);
    expect(said).toEqual(["SYN", "SYN_ACK", "SYN", "SYN_ACK"]);
  });

  it("takes the sender of a first SYN-ACK for the server", () => {
    const { flows, events, step } = observe();
    step(0, false, SYN | ACK);
    expect(flows.table.side).toBe(1);
    step(1, true, ACK);
    expect(flows.table.side).toBe(0);
    expect(events).toEqual(["STARTED 10.0.0.1", "SYN_ACK 10.0.0.1", "ESTABLISHED 10.0.0.1"]);
  });

  it("establishes a simultaneous open", () => {
    const { events, step } = observe();
    step(0, true, SYN);
    step(1, false, SYN);
    step(2, true, SYN | ACK);
    step(3, false, SYN | ACK);
    expect(events).toEqual(["STARTED 10.0.0.1", "SYN 10.0.0.1", "ESTABLISHED 10.0.0.1"]);
  });

  it("says of a connection met midway that it is there, and that it ended", () => {
    const { events, step } = observe();
    step(0, true, ACK | PSH, 10);
    step(1, false, ACK);
    step(2, true, FIN | ACK);
    step(3, false, RST);
    expect(events).toEqual(["STARTED 10.0.0.1", "BRIEF 10.0.0.1"]);
  });

  it("begins a new flow on a SYN after both FINs, after a refusal, and after a long silence", () => {
    const { flows, events, step } = observe();
    const connect = (timeMs: number): void => {
      step(timeMs, true, SYN);
      step(timeMs, false, SYN | ACK);
      step(timeMs, true, ACK);
    };
    connect(0);
    step(10, true, FIN | ACK);
    step(11, false, FIN | ACK);
    connect(20);
    expect(flows.table.rows.packets(step(21, true, ACK), 0)).toBe(3);
    connect(40_000);
    step(40_001, false, RST);
    step(40_002, true, SYN);
    step(40_003, false, RST);
    step(40_004, true, SYN);
    expect(events.filter((event) => event.startsWith("STARTED"))).toHaveLength(5);
    expect(events.filter((event) => event.startsWith("REFUSED"))).toHaveLength(1);
  });

  it("keeps an established flow on a stray SYN", () => {
    const { events, step } = observe();
    step(0, true, SYN);
    step(0, false, SYN | ACK);
    step(0, true, ACK);
    const slot = step(100, true, SYN);
    expect(step(101, false, ACK)).toBe(slot);
    expect(events.filter((event) => event.startsWith("STARTED"))).toHaveLength(1);
    expect(events.at(-1)).toBe("SYN 10.0.0.1");
  });

  it("watches for each first SYN even when a time-out comes while others arrive", () => {
    const { flows, outcome } = observe(16_384);
    for (let i = 0; i < 900; i++) {
      flows.accept(tcpPacket(v4("10.1.0.1", 1000 + i), SERVER, SYN), T0 + i * 5);
    }
    flows.close(T0 + 8000);
    expect(outcome("unanswered")).toBe(900);
  });
});

describe("flows without TCP", () => {
  it("are established by the first answer, once", () => {
    const { flows, events, outcome } = observe();
    flows.accept(udpPacket(CLIENT, SERVER), T0);
    flows.accept(udpPacket(SERVER, CLIENT), T0);
    flows.accept(udpPacket(SERVER, CLIENT), T0);
    expect(events).toEqual(["STARTED 10.0.0.1", "ESTABLISHED 10.0.0.1"]);
    expect(outcome("established")).toBe(0);
  });
});
