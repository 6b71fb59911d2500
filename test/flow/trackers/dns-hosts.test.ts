// SPDX-License-Identifier: AGPL-3.0-or-later
import { beforeEach, describe, expect, it } from "vitest";
import { dnsHosts } from "../../../src/flow/trackers/dns-hosts.ts";
import type { TrackerRows } from "../../../src/flow/window.ts";
import { type DnsFields, dnsPacket } from "../../support/dns-packets.ts";
import { FlowHarness } from "../../support/flow-harness.ts";
import { type End, v4, v6 } from "../../support/packets.ts";

const CLIENT = v4("10.0.0.1", 40_000);
const SERVER = v4("10.0.0.53", 53);
const SECOND = 1_700_000_000;

type Row = TrackerRows["dns_hosts"][number];

let harness: FlowHarness;

beforeEach(() => {
  harness = new FlowHarness();
});

/** Puts a packet through at the harness's time and `nanoseconds` after it. */
function send(from: End, to: End, fields: DnsFields, nanoseconds = 0): void {
  const packet = dnsPacket(from, to, fields);
  packet.seconds = SECOND + Math.trunc(harness.nowMs / 1000 - SECOND);
  packet.nanoseconds = nanoseconds;
  harness.put(packet);
}

function rowOf(host: string, rows = harness.close(1)): Row | undefined {
  return rows.dns_hosts.find((row) => row.host === host);
}

function latencies(): Record<string, number> {
  return { count: harness.histogramCount("nam_dns_response_seconds") };
}

describe("dns hosts", () => {
  it("count both roles of both ends", () => {
    send(CLIENT, SERVER, { type: 16 });
    send(SERVER, CLIENT, { type: 16, rcode: 0, bytes: 800 });
    const rows = harness.close(1);
    expect(rowOf("10.0.0.1", rows)).toMatchObject({
      ...{ queries: 1, queryBytes: 33, txtQueries: 1, repeats: 0, domains: 1 },
      ...{ responses: 1, responseBytes: 800, unsolicited: 0, nxdomain: 0, servedQueries: 0 },
    });
    expect(rowOf("10.0.0.53", rows)).toMatchObject({
      ...{ servedQueries: 1, servedAmplifying: 1, servedQueryBytes: 33, servedResponses: 1 },
      ...{ servedResponseBytes: 800, servedLargest: 800, clients: 1, queries: 0 },
      ...{ topClient: "10.0.0.1", topClientQueries: 1 },
    });
  });

  it("measure latency to the nanosecond, wherever the second turns", () => {
    send(CLIENT, SERVER, {}, 999_900_000);
    harness.wait(1000);
    send(SERVER, CLIENT, { rcode: 0 }, 200_000);
    expect(latencies()).toEqual({ count: 1 });
    expect(harness.histogramSum("nam_dns_response_seconds")).toBeCloseTo(0.0003, 9);
  });

  it.each([
    ["id", { id: 2 }],
    ["type", { type: 28 }],
    ["name", { name: "ww2.example.com" }],
  ])("match nothing with another %s", (_what, fields) => {
    send(CLIENT, SERVER, {});
    send(SERVER, CLIENT, { rcode: 0, ...fields });
    expect(harness.counter("nam_dns_unsolicited_responses_total")).toBe(1);
    expect(latencies()).toEqual({ count: 0 });
  });

  it("match nothing of another port or server", () => {
    send(CLIENT, SERVER, {});
    send(SERVER, v4("10.0.0.1", 40_001), { rcode: 0 });
    send(v4("10.0.0.54", 53), CLIENT, { rcode: 0 });
    expect(harness.counter("nam_dns_unsolicited_responses_total")).toBe(2);
  });

  it("match whatever the case of the name, over IPv6 too", () => {
    send(v6(1, 5000), v6(2, 53), { name: "wWw.eXample.com" });
    send(v6(2, 53), v6(1, 5000), { name: "www.example.com", rcode: 0 });
    expect(latencies()).toEqual({ count: 1 });
  });

  it("count a query sent again once as repeated, and its latency from the first", () => {
    send(CLIENT, SERVER, {});
    harness.wait(2000);
    send(CLIENT, SERVER, {});
    send(SERVER, CLIENT, { rcode: 0 });
    send(SERVER, CLIENT, { rcode: 0 });
    expect(harness.counter("nam_dns_repeated_queries_total")).toBe(1);
    expect(harness.counter("nam_dns_unsolicited_responses_total")).toBe(0);
    expect(latencies()).toEqual({ count: 1 });
    expect(harness.histogramSum("nam_dns_response_seconds")).toBe(2);
    expect(rowOf("10.0.0.1")).toMatchObject({ queries: 2, repeats: 1, responses: 2 });
  });

  it("take the same question as a new one once it was answered", () => {
    for (let round = 0; round < 2; round++) {
      send(CLIENT, SERVER, {});
      send(SERVER, CLIENT, { rcode: 0 });
    }
    expect(harness.counter("nam_dns_repeated_queries_total")).toBe(0);
    expect(latencies()).toEqual({ count: 2 });
  });

  it("time a query out once, after 5 s, for both ends", () => {
    send(CLIENT, SERVER, {});
    harness.close(4999);
    expect(harness.counter("nam_dns_timeouts_total")).toBe(0);
    const rows = harness.close(1);
    expect(harness.counter("nam_dns_timeouts_total")).toBe(1);
    expect(rowOf("10.0.0.1", rows)?.timeouts).toBe(1);
    expect(rowOf("10.0.0.53", rows)?.servedTimeouts).toBe(1);
    harness.close(60_000);
    expect(harness.counter("nam_dns_timeouts_total")).toBe(1);
  });

  it("do not wait for the end of a window to time a query out", () => {
    send(CLIENT, SERVER, {});
    harness.wait(5000);
    send(CLIENT, SERVER, {});
    send(SERVER, CLIENT, { rcode: 0 }, 1000);
    expect(harness.counter("nam_dns_timeouts_total")).toBe(1);
    expect(harness.counter("nam_dns_repeated_queries_total")).toBe(0);
    expect(harness.histogramSum("nam_dns_response_seconds")).toBeCloseTo(1e-6, 9);
    harness.close(10_000);
    expect(harness.counter("nam_dns_timeouts_total")).toBe(1);
  });

  it("take a response after the time-out for late, and one after half a minute for unsolicited", () => {
    send(CLIENT, SERVER, {});
    harness.close(6000);
    send(SERVER, CLIENT, { rcode: 0 });
    expect(harness.counter("nam_dns_unsolicited_responses_total")).toBe(0);
    harness.close(30_000);
    send(SERVER, CLIENT, { rcode: 0, bytes: 4000 });
    expect(harness.counter("nam_dns_unsolicited_responses_total")).toBe(1);
    expect(latencies()).toEqual({ count: 0 });
    expect(rowOf("10.0.0.1")).toMatchObject({ unsolicited: 1, unsolicitedBytes: 4000 });
  });

  it("do not call a response without its query a time-out", () => {
    send(SERVER, CLIENT, { rcode: 0 });
    harness.close(60_000);
    expect(harness.counter("nam_dns_timeouts_total")).toBe(0);
  });

  it("count what failed, and distinct domains and clients", () => {
    for (let i = 0; i < 40; i++) {
      const client = v4(`10.0.1.${i}`, 5000);
      send(client, SERVER, { name: `a.example${i}.com`, id: i });
      send(CLIENT, SERVER, { name: `a.example${i}.com`, id: i });
      send(SERVER, CLIENT, { name: `a.example${i}.com`, id: i, rcode: i % 2 === 0 ? 3 : 2 });
    }
    const rows = harness.close(1);
    const client = rowOf("10.0.0.1", rows);
    expect(client).toMatchObject({ nxdomain: 20, servfail: 20 });
    expect(Math.abs((client?.domains ?? 0) - 40)).toBeLessThan(8);
    const server = rowOf("10.0.0.53", rows);
    expect(Math.abs((server?.clients ?? 0) - 41)).toBeLessThan(8);
    expect(server?.servedQueries).toBe(80);
  });

  it("see every message of a packet", () => {
    const packet = dnsPacket(CLIENT, SERVER, { id: 1 }, { id: 2 }, { id: 3, type: 28 });
    harness.put(packet);
    expect(rowOf("10.0.0.1")?.queries).toBe(3);
  });

  it("take nothing from a packet whose facts are older than itself", () => {
    const packet = dnsPacket(CLIENT, SERVER, {});
    packet.number++;
    harness.put(packet);
    expect(harness.close(1).dns_hosts).toEqual([]);
  });

  it("count the queries that made room for others while they waited", () => {
    for (let i = 0; i < 40_000; i++) send(v4("10.0.0.1", i), SERVER, { id: i & 0xffff });
    const evicted = harness.counter("nam_tracker_evictions_total", { tracker: "dns_hosts" });
    expect(evicted).toBeGreaterThan(20_000);
    harness.close(5000);
    expect(harness.counter("nam_dns_timeouts_total")).toBe(40_000 - evicted);
  });

  it("merge by adding counts and keeping the better-known client", () => {
    send(CLIENT, SERVER, {});
    const first = rowOf("10.0.0.53") as Row;
    for (let i = 0; i < 3; i++) send(v4("10.0.0.9", 5000), SERVER, { id: i });
    const second = rowOf("10.0.0.53") as Row;
    expect(dnsHosts.rows.merge(first, second)).toMatchObject({
      ...{ servedQueries: 4, topClient: "10.0.0.9", topClientQueries: 3, clients: 2 },
      ...{ firstMs: first.firstMs, lastMs: second.lastMs },
    });
    expect(dnsHosts.rows.merge(first, first)).toMatchObject({ topClientQueries: 2 });
  });
});
