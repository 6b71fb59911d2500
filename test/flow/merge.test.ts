// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MANY_SENSORS, mergeWindows } from "../../src/flow/merge.ts";
import type { ArpRow } from "../../src/flow/trackers/arp.ts";
import type { ContactRow } from "../../src/flow/trackers/contacts.ts";
import type { HandshakeRow } from "../../src/flow/trackers/handshakes.ts";
import type { CaptureWindow, Window } from "../../src/flow/window.ts";
import { NO_ROWS } from "../support/windows.ts";

const CELLS = 4;

function contact(source: string, fields: Partial<ContactRow> = {}): ContactRow {
  return {
    ...{ source, protocol: "tcp", contacts: 1, successes: 0, failures: 0, refused: 0 },
    ...{ unanswered: 0, aborted: 0, destinations: 1, ports: 1, topDestination: "10.0.0.2" },
    ...{ topPort: 80, firstMs: 1000, lastMs: 1000 },
    ...fields,
  };
}

function handshake(port: number, fields: Partial<HandshakeRow> = {}): HandshakeRow {
  return {
    ...{ destination: "10.0.0.2", port, syn: 1, synAck: 0, established: 0, refused: 0, aborted: 0 },
    ...{ unanswered: 0, sources: 1, topSource: "10.0.0.1", topSourceSyn: 1 },
    ...fields,
  };
}

function binding(address: string, fields: Partial<ArpRow> = {}): ArpRow {
  return {
    ...{ address, mac: "00:00:00:00:00:01", kind: "seen", previousMac: "", previousAgeMs: 0 },
    ...{ previousSightings: 0, sightings: 1, unsolicited: 0, previousUnsolicited: 0 },
    ...{ replies: 1, gratuitous: 0, addressesOfMac: 1 },
    ...fields,
  };
}

function captured(name: string, fields: Partial<CaptureWindow> = {}): CaptureWindow {
  return {
    ...{ interface: name, source: "afpacket", received: 10, processed: 8, bytes: 1000 },
    ...{ dropped: { kernel: 2, ring: 0, shed: 0, ipc: 0 }, duplicates: 1, ringFreezes: 0 },
    ...{ ringFill: 0.5, dropCounterSupported: true, lastPacketMs: 1500, lagSeconds: 0.1 },
    ...{ clockSteps: 0 },
    ...fields,
  };
}

function windowOf(fields: Partial<Window> = {}): Window {
  return {
    ...{ sensor: 0, sequence: 1, startMs: 1000, endMs: 2000, ticks: 1, capture: [] },
    ...{ counters: new Float64Array(CELLS), gauges: new Float64Array(CELLS), sketches: {} },
    ...{ rows: NO_ROWS, tallies: {} },
    ...fields,
  };
}

const cells = fc
  .float64Array({ minLength: CELLS, maxLength: CELLS, min: 0, max: 2 ** 40, noNaN: true })
  .map((values) => values.map(Math.floor));

describe("mergeWindows", () => {
  it("adds counters and widest spans in any order and grouping", () => {
    fc.assert(
      fc.property(fc.array(cells, { minLength: 3, maxLength: 3 }), (counts) => {
        const [a, b, c] = counts.map((counters, i) =>
          windowOf({
            counters,
            sensor: i,
            startMs: i,
            endMs: i + 1,
            sketches: { s: Uint8Array.of(i, 3 - i) },
          }),
        ) as [Window, Window, Window];
        const left = mergeWindows(mergeWindows(a, b), c);
        const right = mergeWindows(a, mergeWindows(b, c));
        const swapped = mergeWindows(c, mergeWindows(b, a));
        for (const merged of [right, swapped]) {
          expect(merged.counters).toEqual(left.counters);
          expect(merged.sketches).toEqual(left.sketches);
          expect([merged.startMs, merged.endMs]).toEqual([left.startMs, left.endMs]);
        }
        expect(left.sketches).toEqual({ s: Uint8Array.of(2, 3) });
      }),
    );
  });

  it("leaves what it was given alone", () => {
    const a = windowOf({
      ...{ counters: Float64Array.of(1, 2, 3, 4), sketches: { s: Uint8Array.of(1) } },
      ...{
        rows: { ...NO_ROWS, contacts: [contact("a")] },
        capture: [captured("eth0")],
      },
      tallies: { names: [["x", 1]] },
    });
    const copy = structuredClone(a);
    mergeWindows(a, { ...structuredClone(a), sketches: { s: Uint8Array.of(9) } });
    expect(a).toEqual(copy);
  });

  it("adds levels over sensors, and takes the later one of the same sensor", () => {
    const level = (value: number, sensor: number): Window =>
      windowOf({ sensor, gauges: new Float64Array(CELLS).fill(value) });
    const together = mergeWindows(level(1, 0), level(2, 1));
    expect([together.gauges[0], together.ticks, together.sensor]).toEqual([3, 1, MANY_SENSORS]);
    const successive = mergeWindows(level(1, 0), level(2, 0));
    expect([successive.gauges[0], successive.ticks, successive.sensor]).toEqual([2, 2, 0]);
    const all = mergeWindows(together, level(4, 2));
    expect([all.gauges[0], all.sensor]).toEqual([7, MANY_SENSORS]);
  });

  it("makes one row of the rows of one source", () => {
    const rows = (row: ContactRow) => ({ ...NO_ROWS, contacts: [row] });
    const first = contact("a", { contacts: 5, failures: 4, refused: 4, ports: 9, topPort: 22 });
    const second = contact("a", {
      contacts: 2,
      failures: 1,
      unanswered: 1,
      lastMs: 9000,
      ports: 3,
    });
    const merged = mergeWindows(windowOf({ rows: rows(first) }), windowOf({ rows: rows(second) }));
    expect(merged.rows.contacts).toEqual([
      contact("a", {
        ...{ contacts: 7, failures: 5, refused: 4, unanswered: 1, ports: 9, topPort: 22 },
        ...{ firstMs: 1000, lastMs: 9000 },
      }),
    ]);
    const udp = contact("a", { protocol: "udp" });
    const apart = mergeWindows(windowOf({ rows: rows(first) }), windowOf({ rows: rows(udp) }));
    expect(apart.rows.contacts).toHaveLength(2);
  });

  it("adds a service up over sensors", () => {
    const rows = (row: HandshakeRow) => ({ ...NO_ROWS, handshakes: [row] });
    const first = handshake(80, { syn: 10, synAck: 9, sources: 5, topSourceSyn: 4 });
    const second = handshake(80, { syn: 20, established: 3, sources: 8, topSourceSyn: 6 });
    const merged = mergeWindows(windowOf({ rows: rows(first) }), windowOf({ rows: rows(second) }));
    expect(merged.rows.handshakes).toEqual([
      handshake(80, { syn: 30, synAck: 9, established: 3, sources: 8, topSourceSyn: 10 }),
    ]);
    const other = handshake(80, { topSource: "10.0.0.9", topSourceSyn: 7 });
    const apart = mergeWindows(windowOf({ rows: rows(first) }), windowOf({ rows: rows(other) }));
    expect(apart.rows.handshakes[0]).toMatchObject({ topSource: "10.0.0.9", topSourceSyn: 7 });
  });

  it("keeps a changed binding in sight of what came later", () => {
    const rows = (row: ArpRow) => ({ ...NO_ROWS, arp: [row] });
    const changed = binding("10.0.0.1", {
      kind: "changed",
      previousMac: "aa",
      previousSightings: 9,
    });
    const later = binding("10.0.0.1", { mac: "bb", replies: 4, addressesOfMac: 3 });
    const merged = mergeWindows(windowOf({ rows: rows(changed) }), windowOf({ rows: rows(later) }));
    expect(merged.rows.arp).toEqual([{ ...changed, mac: "bb", replies: 5, addressesOfMac: 3 }]);
  });

  it("bounds rows, the weightiest first", () => {
    const many = (first: number) => ({
      ...NO_ROWS,
      contacts: Array.from({ length: 256 }, (_, i) =>
        contact(`s${first + i}`, { failures: first + i }),
      ),
    });
    const { contacts } = mergeWindows(
      windowOf({ rows: many(0) }),
      windowOf({ rows: many(256) }),
    ).rows;
    expect(contacts).toHaveLength(256);
    expect(contacts[0]?.failures).toBe(511);
    expect(contacts.at(-1)?.failures).toBe(256);
  });

  it("adds tallies and bounds them, the most frequent first", () => {
    const tally = (first: number): [string, number][] =>
      Array.from({ length: 4000 }, (_, i) => [`n${first + i}`, first + i]);
    const a = windowOf({ tallies: { names: tally(0), only: [["x", 1]] } });
    const b = windowOf({ tallies: { names: tally(3000) } });
    const { names, only } = mergeWindows(a, b).tallies;
    expect(names).toHaveLength(4096);
    expect(names?.[0]?.[1]).toBeGreaterThan(6900);
    expect(new Map(names).get("n3500")).toBe(7000);
    expect(only).toEqual([["x", 1]]);
  });

  it("adds captures of one interface and keeps those of others", () => {
    const a = windowOf({ capture: [captured("eth0"), captured("eth1")] });
    const b = windowOf({
      capture: [
        captured("eth0", { ringFill: 0.9, lastPacketMs: 1900, dropCounterSupported: false }),
      ],
    });
    const { capture } = mergeWindows(a, b);
    expect(capture).toEqual([
      captured("eth0", {
        ...{ received: 20, processed: 16, bytes: 2000, duplicates: 2 },
        dropped: { kernel: 4, ring: 0, shed: 0, ipc: 0 },
        ...{ ringFill: 0.9, lastPacketMs: 1900, dropCounterSupported: false },
      }),
      captured("eth1"),
    ]);
  });

  it("refuses windows of different catalogues", () => {
    const other = windowOf({ counters: new Float64Array(CELLS + 1) });
    expect(() => mergeWindows(windowOf(), other)).toThrow(/4 and 5 cells/);
  });
});
