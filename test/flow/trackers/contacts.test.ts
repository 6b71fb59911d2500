// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import type { ContactRow } from "../../../src/flow/trackers/contacts.ts";
import { FlowHarness } from "../../support/flow-harness.ts";
import { ACK, type End, Protocol, RST, SYN, v4, v6 } from "../../support/packets.ts";

const MINUTE = 60_000;
const TARGET = "10.0.0.2";
const SCANNER = "10.0.0.66";

function connect(harness: FlowHarness, client: End, server: End): void {
  harness.tcp(client, server, SYN);
  harness.tcp(server, client, SYN | ACK);
  harness.tcp(client, server, ACK);
}

function refuse(harness: FlowHarness, client: End, server: End): void {
  harness.tcp(client, server, SYN);
  harness.tcp(server, client, RST | ACK);
}

function only(rows: readonly ContactRow[]): ContactRow {
  expect(rows).toHaveLength(1);
  return rows[0] as ContactRow;
}

describe("contacts", () => {
  it("counts what the first contacts of a source came to", () => {
    const harness = new FlowHarness();
    connect(harness, v4(SCANNER, 1), v4(TARGET, 80));
    refuse(harness, v4(SCANNER, 2), v4(TARGET, 81));
    harness.tcp(v4(SCANNER, 3), v4(TARGET, 82), SYN);
    harness.tcp(v4(TARGET, 82), v4(SCANNER, 3), SYN | ACK);
    harness.tcp(v4(SCANNER, 3), v4(TARGET, 82), RST);
    harness.tcp(v4(SCANNER, 4), v4(TARGET, 83), SYN);
    const first = harness.nowMs;
    expect(only(harness.close(1000).contacts)).toEqual({
      ...{ source: SCANNER, protocol: "tcp", contacts: 4, successes: 1, failures: 1 },
      ...{ refused: 1, unanswered: 0, aborted: 1, destinations: 1, ports: 4 },
      ...{ topDestination: TARGET, topPort: expect.any(Number), firstMs: first, lastMs: first },
    });
    const later = only(harness.close(2500).contacts);
    expect(later).toMatchObject({ contacts: 0, failures: 1, unanswered: 1, topPort: 83 });
  });

  it("does not count retries and parallel connections", () => {
    const harness = new FlowHarness();
    refuse(harness, v4(SCANNER, 1), v4(TARGET, 80));
    refuse(harness, v4(SCANNER, 2), v4(TARGET, 80));
    refuse(harness, v4(SCANNER, 1), v4(TARGET, 80));
    connect(harness, v4(SCANNER, 4), v4(TARGET, 80));
    expect(only(harness.close(1000).contacts)).toMatchObject({
      ...{ contacts: 1, failures: 1, successes: 0 },
    });
    refuse(harness, v4(SCANNER, 5), v4(TARGET, 80));
    expect(harness.close(1000).contacts).toEqual([]);
  });

  it("takes an answer for success and ICMP for failure of UDP, and silence for nothing", () => {
    const harness = new FlowHarness();
    harness.udp(v4(SCANNER, 1), v4(TARGET, 53));
    harness.udp(v4(TARGET, 53), v4(SCANNER, 1));
    harness.udp(v4(SCANNER, 1), v4(TARGET, 54));
    harness.udp(v4(SCANNER, 1), v4(TARGET, 55));
    unreachable(harness, v4(SCANNER, 1), v4(TARGET, 55));
    expect(only(harness.close(1000).contacts)).toMatchObject({
      ...{ protocol: "udp", contacts: 3, successes: 1, failures: 1, refused: 1, unanswered: 0 },
    });
    expect(harness.close(10_000).contacts).toEqual([]);
  });

  it("keeps the protocols of a source apart", () => {
    const harness = new FlowHarness();
    refuse(harness, v4(SCANNER, 1), v4(TARGET, 80));
    harness.udp(v4(SCANNER, 1), v4(TARGET, 80));
    const rows = harness.close(1000).contacts;
    expect(rows.map(({ protocol }) => protocol)).toEqual(["tcp", "udp"]);
  });

  it("sees a vertical scan as many ports of one destination", () => {
    const harness = new FlowHarness();
    for (let port = 1; port <= 1000; port++) refuse(harness, v6(66, 40_000), v6(2, port));
    const row = only(harness.close(1000).contacts);
    expect(row).toMatchObject({ contacts: 1000, failures: 1000, topDestination: "2001:db8::2" });
    expect(row.destinations).toBe(1);
    expect(row.ports).toBeGreaterThan(750);
    expect(row.ports).toBeLessThan(1250);
  });

  it("sees a sweep as one port of many destinations", () => {
    const harness = new FlowHarness();
    for (let i = 1; i <= 200; i++) refuse(harness, v4(SCANNER, 40_000), v4(`10.0.1.${i}`, 445));
    const row = only(harness.close(1000).contacts);
    expect(row).toMatchObject({ failures: 200, topPort: 445, ports: 1 });
    expect(row.destinations).toBeGreaterThan(150);
    expect(row.destinations).toBeLessThan(250);
  });

  it("lets distinct counts fade after two spans of a quarter of an hour", () => {
    const harness = new FlowHarness();
    for (let port = 1; port <= 50; port++) refuse(harness, v4(SCANNER, 1), v4(TARGET, port));
    const portsAfter = (waitMs: number, port: number): number => {
      harness.close(waitMs);
      refuse(harness, v4(SCANNER, 1), v4(TARGET, port));
      return only(harness.close().contacts).ports;
    };
    expect(portsAfter(1, 2001)).toBeGreaterThan(45);
    expect(portsAfter(16 * MINUTE, 2002)).toBeGreaterThan(45);
    expect(portsAfter(16 * MINUTE, 2003)).toBeLessThan(5);
  });

  it("does not take connections met midway, nor packets of the server, for attempts", () => {
    const harness = new FlowHarness();
    harness.tcp(v4(TARGET, 443), v4(SCANNER, 50_000), ACK, 100);
    harness.tcp(v4(TARGET, 80), v4(SCANNER, 50_001), SYN | ACK);
    harness.tcp(v4(TARGET, 81), v4(SCANNER, 50_002), RST);
    expect(harness.close(1000).contacts).toEqual([]);
  });

  it("keeps what it knows of a source that failed over many that did not", () => {
    const harness = new FlowHarness(65_536);
    const first = harness.nowMs;
    for (const port of [1, 2]) refuse(harness, v4(SCANNER, 40_000), v4(TARGET, port));
    for (let i = 0; i < 20_000; i++) {
      harness.wait(0.1);
      for (const port of [53, 123, 443]) harness.udp(randomSource(i), v4(TARGET, port));
    }
    harness.close();
    refuse(harness, v4(SCANNER, 40_000), v4(TARGET, 3));
    const row = harness.close().contacts.find(({ source }) => source === SCANNER);
    expect(row).toMatchObject({ contacts: 1, failures: 1, ports: 3, firstMs: first });
  });

  it("keeps a scanner's row through a flood from a million sources", () => {
    const harness = new FlowHarness(65_536);
    const scanned = { contacts: 0, failures: 0 };
    let probe = 0;
    for (let i = 0; i < 200_000; i++) {
      harness.wait(0.005);
      harness.tcp(randomSource(i), v4(TARGET, 80), SYN);
      // A thousand probes a second among two hundred thousand flood packets a second.
      if (i % 200 === 0) refuse(harness, v4(SCANNER, 40_000), v4(TARGET, 1000 + probe++));
      if (i % 40_000 !== 39_999) continue;
      const rows = harness.close().contacts;
      expect(rows.length).toBeLessThanOrEqual(256);
      const row = rows.find(({ source }) => source === SCANNER);
      scanned.contacts += row?.contacts ?? 0;
      scanned.failures += row?.failures ?? 0;
    }
    expect(scanned.contacts).toBeGreaterThan(probe * 0.98);
    expect(scanned.failures).toBeGreaterThan(probe * 0.98);
    expect(harness.gauge("nam_tracker_entities", { tracker: "contacts" })).toBeLessThanOrEqual(
      4096,
    );
  });
});

function randomSource(index: number): End {
  const word = Math.imul(index + 1, 0x9e3779b1) ^ 0x5bd1e995;
  return { words: [0, 0, 0xffff, word], port: 1024 + (index % 60_000) };
}

/** Tells `from` that its datagram to `to` found nobody. */
function unreachable(harness: FlowHarness, from: End, to: End): void {
  const view = new DataView(new ArrayBuffer(64));
  view.setUint8(0, 0x45);
  view.setUint8(9, Protocol.UDP);
  view.setInt32(12, from.words[3]);
  view.setInt32(16, to.words[3]);
  view.setUint16(20, from.port);
  view.setUint16(22, to.port);
  const { packet } = harness;
  const number = packet.number;
  harness.send(v4(TARGET), { ...from, port: 0 }, { ipProtocol: Protocol.ICMP });
  Object.assign(packet, { number, view, end: 28, quotedAt: 0, icmpType: 3, icmpCode: 3 });
  harness.put(packet);
}
