// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { emptyPacket, type Packet } from "../../src/decode/packet.ts";
import { FlowTable } from "../../src/flow/flow-table.ts";
import { type End, Protocol, setPacket, v4, v6 } from "../support/packets.ts";

const STATE = 3;

function packet(from: End, to: End, ipProtocol: number = Protocol.UDP): Packet {
  return setPacket(emptyPacket({}), from, to, { ipProtocol, lengthBytes: 100 });
}

function setEnd(target: Packet, isSource: boolean, end: End): void {
  const [word0, word1, word2, word3] = end.words;
  Object.assign(
    target,
    isSource
      ? { source0: word0, source1: word1, source2: word2, source3: word3 }
      : { destination0: word0, destination1: word1, destination2: word2, destination3: word3 },
  );
}

function insert(table: FlowTable, first: Packet, expiry = 1000): number {
  expect(table.find(first)).toBe(-1);
  const victim = table.victim();
  if (victim >= 0) table.remove(victim);
  const slot = table.insert(first, 0, STATE, 0);
  table.rows.count(slot, 0, first.wireLength);
  table.rows.setExpiry(slot, expiry);
  return slot;
}

describe("FlowTable", () => {
  it.each([
    ["IPv4", v4("10.0.0.1", 1000), v4("10.0.0.2", 53)],
    ["IPv6", v6(1, 1000), v6(2, 53)],
    ["equal ports", v4("10.0.0.1", 123), v4("10.0.0.2", 123)],
    ["high bits everywhere", v4("255.255.255.255", 65_535), v4("128.0.0.0", 32_768)],
    ["no ports", v4("10.0.0.1"), v4("10.0.0.2")],
    [
      "IPv6 ends alike but for one upper word",
      { words: [0xfe800000 | 0, 0, 0, 1], port: 500 } satisfies End,
      { words: [0xfe800000 | 0, 1, 0, 1], port: 500 } satisfies End,
    ],
  ])("finds both directions of a flow: %s", (_, client, server) => {
    const table = new FlowTable(64, 1);
    const slot = insert(table, packet(client, server));
    expect(table.find(packet(client, server))).toBe(slot);
    expect(table.side).toBe(0);
    expect(table.find(packet(server, client))).toBe(slot);
    expect(table.side).toBe(1);
  });

  it("takes a packet to its own sender for the client's", () => {
    const table = new FlowTable(64, 1);
    const end = v4("10.0.0.1", 80);
    const slot = insert(table, packet(end, end));
    expect(table.find(packet(end, end))).toBe(slot);
    expect(table.side).toBe(0);
  });

  it("tells flows apart by every part of the key", () => {
    const table = new FlowTable(1024, 1);
    const client = v4("10.0.0.1", 1000);
    const server = v4("10.0.0.2", 53);
    const mapped: End = { words: [1, 0, 0xffff, 0x0a000002], port: 53 };
    const others = [
      packet(client, server),
      packet(client, server, Protocol.TCP),
      packet({ ...client, port: 1001 }, server),
      packet(client, { ...server, port: 54 }),
      packet({ ...client, port: 53 }, { ...server, port: 1000 }),
      packet(v4("10.0.0.3", 1000), server),
      packet(client, v4("10.0.0.3", 53)),
      packet({ words: [0, 0, 1, 0x0a000001], port: 1000 }, mapped),
      packet({ words: [0, 1, 0, 0x0a000001], port: 1000 }, mapped),
      packet({ words: [1, 0, 0, 0x0a000001], port: 1000 }, mapped),
    ];
    const slots = others.map((other) => insert(table, other));
    expect(new Set(slots).size).toBe(others.length);
    expect(others.map((other) => table.find(other))).toEqual(slots);
  });

  it.each([
    ["IPv4", v4("10.0.0.1", 123), v4("10.0.0.2", 123), 3],
    ["IPv6, first word", v6(1, 123), v6(2, 123), 0],
    ["IPv6, second word", v6(1, 123), v6(2, 123), 1],
    ["IPv6, third word", v6(1, 123), v6(2, 123), 2],
    ["IPv6, last word", v6(1, 123), v6(2, 123), 3],
  ])("takes no flow for another whose hash is alike: %s", (_, client, server, word) => {
    // One bucket: only its tag of eight bits stands between a flow and the comparison of its key.
    const table = new FlowTable(8, 1);
    insert(table, packet(client, server));
    const stranger = { words: [...client.words] as [number, number, number, number], port: 123 };
    const all = [
      packet(client, server),
      packet(client, server),
      packet(server, client),
      packet(server, client),
    ];
    for (let i = 1; i < 150_000; i++) {
      stranger.words[word] = (client.words[word] ?? 0) ^ Math.imul(i, 0x9e3779b1);
      for (const [index, other] of all.entries()) {
        setEnd(other, index % 2 === 0, stranger);
        if (table.find(other) !== -1) expect.fail(`matched ${stranger.words}`);
      }
    }
  });

  it("tells IPv4 from the same addresses mapped into IPv6", () => {
    const table = new FlowTable(64, 1);
    const plain = packet(v4("10.0.0.1", 1), v4("10.0.0.2", 2));
    insert(table, plain);
    const mapped = packet(v4("10.0.0.1", 1), v4("10.0.0.2", 2));
    mapped.ipVersion = 6;
    expect(table.find(mapped)).toBe(-1);
  });

  it("counts packets and bytes each way, and keeps state and verdict", () => {
    const table = new FlowTable(64, 1);
    const client = v4("10.0.0.1", 1000);
    const server = v4("10.0.0.2", 53);
    const slot = insert(table, packet(client, server));
    table.rows.count(slot, 1, 2 ** 33);
    table.rows.count(slot, 1, 5);
    table.rows.setState(slot, 0xfa);
    table.rows.setVerdict(slot, 200);
    expect([table.rows.packets(slot, 0), table.rows.packets(slot, 1)]).toEqual([1, 2]);
    expect([table.rows.bytes(slot, 0), table.rows.bytes(slot, 1)]).toEqual([100, 2 ** 33 + 5]);
    expect([table.rows.state(slot), table.rows.verdict(slot)]).toEqual([0xfa, 200]);
    expect(table.rows.ipProtocol(slot)).toBe(Protocol.UDP);
    expect(table.find(packet(client, server))).toBe(slot);
  });

  it("makes room where the flow times out first", () => {
    const table = new FlowTable(8, 1);
    const server = v4("10.0.0.2", 53);
    const clients = Array.from({ length: 8 }, (_, i) => v4("10.0.0.1", 1000 + i));
    const expiries = [50, 40, 30, 10, 20, 60, 70, 80];
    const slots = clients.map((client, i) => insert(table, packet(client, server), expiries[i]));
    expect(table.find(packet(v4("10.0.0.1", 9), server))).toBe(-1);
    expect(table.victim()).toBe(slots[3]);
    table.remove(slots[5] ?? -1);
    expect(table.victim()).toBe(-1);
  });

  it("finds what has timed out, in order, and nothing else", () => {
    const table = new FlowTable(64, 1);
    const server = v4("10.0.0.2", 53);
    const slots = [10, 20, 30].map((expiry, i) =>
      insert(table, packet(v4("10.0.0.1", i), server), expiry),
    );
    const expired: number[] = [];
    for (let slot = table.nextExpired(0, 20); slot < table.end; ) {
      expired.push(slot);
      slot = table.nextExpired(slot + 1, 20);
    }
    expect(expired).toEqual(slots.slice(0, 2).sort((a, b) => a - b));
  });

  it.each([
    ["the client's port", (i: number) => v4("10.0.0.1", i)],
    ["a client's address", (i: number) => v4(`10.0.${i >> 8}.${i & 255}`, 1)],
    ["the first word", (i: number): End => ({ words: [i << 16, 0, 0, 1], port: 1 })],
    ["the second word", (i: number): End => ({ words: [1, i, 0, 1], port: 1 })],
    ["the third word", (i: number): End => ({ words: [1, 0, i << 8, 1], port: 1 })],
  ])("spreads keys that differ in %s only", (_, client) => {
    const table = new FlowTable(16_384, 99);
    let crowded = 0;
    for (let i = 0; i < 8192; i++) {
      const first = packet(client(i), v4("10.0.0.2", 80));
      table.find(first);
      const victim = table.victim();
      if (victim >= 0) {
        crowded++;
        table.remove(victim);
      }
      table.rows.setExpiry(table.insert(first, 0, STATE, 0), 1);
    }
    // A random spread loses 0.8 % of the keys at half load: E[max(0, Poisson(4) - 8)] / 4 is 0.0084.
    expect(crowded).toBeLessThan(8192 * 0.02);
  });

  it("puts keys into other buckets under another seed", () => {
    const crowdedUnder = (seed: number): number[] => {
      const table = new FlowTable(512, seed);
      const crowded: number[] = [];
      for (let i = 0; i < 512; i++) {
        const first = packet(v4("10.0.0.1", i), v4("10.0.0.2", 80));
        table.find(first);
        if (table.victim() >= 0) crowded.push(i);
        else table.insert(first, 0, STATE, 0);
      }
      return crowded;
    };
    expect(crowdedUnder(1).length).toBeGreaterThan(10);
    expect(crowdedUnder(1)).toEqual(crowdedUnder(1));
    expect(crowdedUnder(1)).not.toEqual(crowdedUnder(2));
  });

  it("gives the slots of flows that ended to new ones, so that rows stay dense", () => {
    const table = new FlowTable(1024, 1);
    const server = v4("10.0.0.2", 53);
    for (let i = 0; i < 5000; i++) {
      const slot = insert(table, packet(v4("10.0.0.1", i), server));
      expect(slot).toBeLessThan(10);
      if (i >= 9) table.remove(table.find(packet(v4("10.0.0.1", i - 9), server)));
    }
    expect(table.end).toBe(10);
  });
});
