// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyPacket } from "../../src/decode/packet.ts";
import type { Flows } from "../../src/flow/flows.ts";
import { createFlows } from "../support/flows.ts";
import { ACK, type End, FIN, Protocol, RST, SYN, setPacket, v4, v6 } from "../support/packets.ts";

const SCTP = 132;
const START_MS = 1_700_000_000_000;
const ANSWERED_MS = 180_000;
const OPEN_MS = 60_000;

const ends: readonly End[] = [
  ...[1, 2, 3, 4].map((port) => v4("10.0.0.1", port)),
  ...[1, 2].map((port) => v4("10.0.0.2", port)),
  ...[1, 2].map((port) => v6(1, port)),
  v6(2, 1),
];

const sent = fc.record({
  from: fc.nat(ends.length - 1),
  to: fc.nat(ends.length - 1),
  udp: fc.boolean(),
  length: fc.integer({ min: 60, max: 1514 }),
  waitMs: fc.oneof(fc.constant(0), fc.nat(2000), fc.integer({ min: 50_000, max: 200_000 })),
  close: fc.boolean(),
});

const crowd = fc.array(
  fc.record({
    client: fc.nat(250),
    reverse: fc.boolean(),
    flags: fc.constantFrom(SYN, SYN | ACK, ACK, FIN | ACK, RST, RST | ACK),
    waitMs: fc.oneof(fc.constant(0), fc.nat(500), fc.nat(60_000)),
    close: fc.boolean(),
  }),
  { minLength: 50, maxLength: 600 },
);

interface ModelFlow {
  readonly client: End;
  readonly packets: [number, number];
  readonly bytes: [number, number];
  verdict: number;
  lastMs: number;
  timeoutMs: number;
}

/** What the table must do, with a Map and strings. */
class Model {
  readonly flows = new Map<string, ModelFlow>();
  started = 0;

  take(from: End, to: End, protocol: number, length: number, nowMs: number): [ModelFlow, number] {
    const key = [end(from), end(to)].sort().join() + protocol;
    let flow = this.flows.get(key);
    if (!flow || nowMs - flow.lastMs >= flow.timeoutMs) {
      this.started++;
      const zeros = { packets: [0, 0] as [number, number], bytes: [0, 0] as [number, number] };
      flow = { client: from, ...zeros, verdict: 0, lastMs: nowMs, timeoutMs: OPEN_MS };
      this.flows.set(key, flow);
    }
    const side = end(flow.client) === end(from) ? 0 : 1;
    if (side === 1) flow.timeoutMs = ANSWERED_MS;
    flow.packets[side]++;
    flow.bytes[side] += length;
    flow.lastMs = nowMs;
    return [flow, side];
  }

  alive(nowMs: number): number {
    return [...this.flows.values()].filter((flow) => nowMs - flow.lastMs < flow.timeoutMs).length;
  }
}

function end({ words, port }: End): string {
  return `${words.join(".")}:${port}`;
}

function isSameFamily(a: End, b: End): boolean {
  return (a.words[2] === 0) === (b.words[2] === 0);
}

describe("flows against a model", () => {
  it("follows the same flows with the same counts as a Map", () => {
    fc.assert(
      fc.property(
        fc.array(sent, { minLength: 1, maxLength: 120 }),
        fc.integer(),
        (all, hashSeed) => {
          const bench = createFlows({ capacity: 4096, hashSeed });
          const model = new Model();
          let nowMs = START_MS;
          for (const { from, to, udp, length, waitMs, close } of all) {
            const [source, destination] = [ends[from] as End, ends[to] as End];
            if (!isSameFamily(source, destination)) continue;
            nowMs += waitMs;
            if (close) {
              bench.flows.close(nowMs);
              expect(bench.active()).toBe(model.alive(nowMs));
            }
            const ipProtocol = udp ? Protocol.UDP : SCTP;
            const fields = { ipProtocol, lengthBytes: length };
            compare(bench.flows, model, source, destination, fields, nowMs);
          }
          expect(bench.counter("nam_flows_started_total")).toBe(model.started);
          expect(bench.counter("nam_flows_evicted_total", { reason: "capacity" })).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("never mixes flows up nor loses count of them, however full the table is", () => {
    fc.assert(
      fc.property(crowd, (all) => {
        const { flows, counter, active } = createFlows({ capacity: 64 });
        const packet = emptyPacket({});
        let nowMs = START_MS;
        for (const { client, reverse, flags, waitMs, close } of all) {
          nowMs += waitMs;
          if (close) flows.close(nowMs);
          const [a, b] = [v4("10.0.0.1", 1 + client), v4("10.0.0.2", 80)];
          setPacket(packet, reverse ? b : a, reverse ? a : b, { ipProtocol: Protocol.TCP, flags });
          const slot = flows.accept(packet, nowMs);
          // What was kept with a flow is found with it, or gone with it.
          expect([0, 1 + client]).toContain(flows.table.rows.verdict(slot));
          flows.table.rows.setVerdict(slot, 1 + client);
        }
        flows.close(nowMs);
        const evicted = counter("nam_flows_evicted_total");
        expect(active() + evicted).toBe(counter("nam_flows_started_total"));
        expect(active()).toBeLessThanOrEqual(64);
        expect(active()).toBe(usedSlots(flows));
      }),
      { numRuns: 150 },
    );
  });
});

/** Sends one packet to both and compares the flow it belongs to; the verdict kept counts the flow's packets. */
function compare(
  flows: Flows,
  model: Model,
  source: End,
  destination: End,
  fields: { ipProtocol: number; lengthBytes: number },
  nowMs: number,
): void {
  const { ipProtocol, lengthBytes } = fields;
  const [expected, side] = model.take(source, destination, ipProtocol, lengthBytes, nowMs);
  const slot = flows.accept(setPacket(emptyPacket({}), source, destination, fields), nowMs);
  const { table } = flows;
  expect(table.side).toBe(side);
  expect([table.rows.packets(slot, 0), table.rows.packets(slot, 1)]).toEqual(expected.packets);
  expect([table.rows.bytes(slot, 0), table.rows.bytes(slot, 1)]).toEqual(expected.bytes);
  expect(table.rows.verdict(slot)).toBe(expected.verdict);
  expected.verdict = (expected.verdict + 1) & 0xff;
  table.rows.setVerdict(slot, expected.verdict);
}

function usedSlots({ table }: Flows): number {
  return Array.from({ length: table.capacity }, (_, slot) => table.rows.isUsed(slot)).filter(
    Boolean,
  ).length;
}
