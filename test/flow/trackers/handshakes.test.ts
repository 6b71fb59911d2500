// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { FlowHarness } from "../../support/flow-harness.ts";
import { ACK, RST, SYN, v4 } from "../../support/packets.ts";

const SERVER = "10.0.0.2";
const WEB = v4(SERVER, 80);

describe("handshakes", () => {
  it("balances the handshakes of a service", () => {
    const harness = new FlowHarness();
    for (let i = 0; i < 5; i++) {
      const client = v4(`10.0.1.${i}`, 40_000);
      harness.tcp(client, WEB, SYN);
      if (i < 4) harness.tcp(WEB, client, SYN | ACK);
      if (i < 2) harness.tcp(client, WEB, ACK);
      if (i === 2) harness.tcp(client, WEB, RST);
      if (i === 4) harness.tcp(WEB, client, RST);
    }
    harness.tcp(v4("10.0.1.9", 1), WEB, SYN);
    expect(harness.close(1000).handshakes).toEqual([
      {
        ...{ destination: SERVER, port: 80, syn: 6, synAck: 4, established: 2, refused: 1 },
        ...{ aborted: 1, unanswered: 0, sources: 6 },
        ...{ topSource: expect.any(String), topSourceSyn: expect.any(Number) },
      },
    ]);
    expect(harness.close(3000).handshakes).toMatchObject([
      { port: 80, syn: 0, unanswered: 1, sources: 0, topSource: "", topSourceSyn: 0 },
    ]);
    expect(harness.close(1000).handshakes).toEqual([]);
  });

  it("counts every SYN of a flood that repeats one packet", () => {
    const harness = new FlowHarness();
    for (let i = 0; i < 1000; i++) harness.tcp(v4("10.0.9.9", 1234), WEB, SYN);
    expect(harness.close(1000).handshakes).toMatchObject([
      { syn: 1000, sources: 1, topSource: "10.0.9.9", topSourceSyn: 1000 },
    ]);
  });

  it("counts every SYN of a repeated packet that is answered and reset each time", () => {
    const harness = new FlowHarness();
    const attacker = v4("10.0.9.9", 1234);
    for (let i = 0; i < 500; i++) {
      harness.tcp(attacker, WEB, SYN);
      harness.tcp(WEB, attacker, SYN | ACK);
      harness.tcp(attacker, WEB, RST);
    }
    expect(harness.close(1000).handshakes).toMatchObject([
      { syn: 500, synAck: 500, established: 0, aborted: 500 },
    ]);
  });

  it("sees a flood from random sources at one service", () => {
    const harness = new FlowHarness();
    for (let i = 0; i < 20_000; i++) {
      harness.wait(0.05);
      harness.tcp(
        v4(`${1 + (i % 200)}.${(i >> 3) % 256}.${i % 251}.${i % 241}`, i % 65_536),
        WEB,
        SYN,
      );
    }
    const [row] = harness.close(0).handshakes;
    expect(row).toMatchObject({ destination: SERVER, port: 80, syn: 20_000, synAck: 0 });
    expect(row?.sources).toBeGreaterThan(15_000);
    expect(row?.sources).toBeLessThan(25_000);
    expect(row?.topSourceSyn).toBeLessThan(1000);
  });

  it("shows a vertical scan as many services with little each", () => {
    const harness = new FlowHarness();
    for (let port = 1; port <= 5000; port++)
      harness.tcp(v4("10.0.0.66", 40_000), v4(SERVER, port), SYN);
    const rows = harness.close(1000).handshakes;
    expect(rows).toHaveLength(128);
    expect(Math.max(...rows.map(({ syn }) => syn))).toBe(1);
  });

  it("keeps a flooded service in sight of a scan over every port", () => {
    const harness = new FlowHarness();
    for (let port = 1; port <= 30_000; port++) {
      harness.tcp(v4("10.0.0.66", 40_000), v4("10.0.0.3", port), SYN);
      if (port % 10 === 0) harness.tcp(v4("10.9.0.1", port), WEB, SYN);
    }
    const [first] = harness.close(1000).handshakes;
    expect(first).toMatchObject({ destination: SERVER, port: 80 });
    expect(first?.syn).toBeGreaterThan(2990);
    expect(
      harness.counter("nam_tracker_evictions_total", { tracker: "handshakes" }),
    ).toBeGreaterThan(0);
  });
});
