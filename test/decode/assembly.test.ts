// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ASSEMBLY_BYTES, Assembly, GivenUp, NO_BUFFER } from "../../src/decode/assembly.ts";
import { emptyPacket, type Packet } from "../../src/decode/packet.ts";

const CAPS = Object.values(GivenUp).length;

/** A pool, and the packets of one flow after another. */
class Bench {
  readonly counters = new Float64Array(CAPS);
  readonly pool: Assembly;
  readonly packet: Packet = emptyPacket({});

  constructor(buffers = 16) {
    this.pool = new Assembly(buffers, this.counters, 0);
  }

  /** The flow's next packet, with this payload. */
  next(payload: Uint8Array, changes: Partial<Packet> = {}): Packet {
    const { packet } = this;
    const memory = Uint8Array.from(payload);
    packet.number++;
    packet.flowPackets++;
    packet.view = new DataView(memory.buffer);
    packet.payloadAt = 0;
    packet.payloadEnd = memory.length;
    return Object.assign(packet, { flow: 7, sourcePort: 40_000 }, changes);
  }

  /** Adds the payload at its sequence number to the flow's buffer. */
  add(payload: Uint8Array, tcpSequence: number, changes: Partial<Packet> = {}): number {
    const packet = this.next(payload, { tcpSequence, ...changes });
    const { pool } = this;
    const found = pool.find(packet);
    const buffer = found === NO_BUFFER ? pool.open(packet, tcpSequence) : found;
    return pool.add(buffer, packet, 0, payload.length, pool.offset(buffer, packet));
  }

  bytes(length: number): Uint8Array {
    const { buffer, byteOffset } = this.pool.view(this.pool.find(this.packet));
    return new Uint8Array(buffer, byteOffset, length);
  }
}

const sequence = Uint8Array.from({ length: 4000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

describe("a buffer", () => {
  it("puts pieces in any order together, wherever they overlap and the numbers wrap", () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: sequence.length - 1 }), { maxLength: 6 });
    const base = fc.constantFrom(0, -2000, 0x7ffffc00);
    fc.assert(
      fc.property(
        cuts,
        fc.nat(200),
        base,
        fc.infiniteStream(fc.nat()),
        (at, overlap, from, random) => {
          const bounds = [0, ...at.sort((a, b) => a - b), sequence.length];
          const pieces = bounds.slice(1).map((to, i) => {
            const start = Math.max(0, (bounds[i] ?? 0) - overlap);
            return { start, content: sequence.subarray(start, to) };
          });
          for (let i = pieces.length - 1; i > 0; i--) {
            const j = (random.next().value ?? 0) % (i + 1);
            [pieces[i], pieces[j]] = [pieces[j] as never, pieces[i] as never];
          }
          const bench = new Bench();
          const first = bench.next(new Uint8Array(1));
          bench.pool.open(first, from);
          let length = 0;
          for (const { start, content } of pieces) length = bench.add(content, (from + start) | 0);
          expect(length).toBe(sequence.length);
          expect(bench.bytes(length)).toEqual(sequence);
        },
      ),
    );
  });

  it("keeps what came first where two pieces differ", () => {
    const bench = new Bench();
    bench.add(Uint8Array.of(1, 1, 1), 100);
    bench.add(Uint8Array.of(2, 2, 2), 104);
    expect(bench.add(Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9), 101)).toBe(9);
    expect([...bench.bytes(9)]).toEqual([1, 1, 1, 9, 2, 2, 2, 9, 9]);
  });

  it("finds its start when the first piece comes late", () => {
    const bench = new Bench();
    const packet = bench.next(sequence.subarray(1000, 2000), { tcpSequence: 1000 });
    const buffer = bench.pool.open(packet, -3000, true);
    bench.add(sequence.subarray(1000, 2000), 1000);
    expect(bench.add(sequence.subarray(0, 1000), 0)).toBe(0);
    expect([bench.pool.start(buffer), bench.pool.runLength(buffer)]).toEqual([3000, 2000]);
    bench.pool.consume(buffer, 3000, bench.packet);
    expect(bench.pool.length(buffer)).toBe(2000);
    expect(bench.bytes(2000)).toEqual(sequence.subarray(0, 2000));
  });

  it("goes on behind a message that was consumed", () => {
    const bench = new Bench();
    bench.add(sequence.subarray(0, 1000), 0);
    bench.add(sequence.subarray(1500, 2000), 1500);
    bench.pool.consume(bench.pool.find(bench.packet), 900, bench.packet);
    expect(bench.bytes(100)).toEqual(sequence.subarray(900, 1000));
    expect(bench.add(sequence.subarray(1000, 1500), 1000)).toBe(1100);
    expect(bench.bytes(1100)).toEqual(sequence.subarray(900, 2000));
  });

  it("leaves out what lies beyond its end", () => {
    const bench = new Bench();
    bench.add(new Uint8Array(ASSEMBLY_BYTES - 10), 0);
    const packet = bench.next(new Uint8Array(100), { tcpSequence: ASSEMBLY_BYTES - 10 });
    const buffer = bench.pool.find(packet);
    expect(bench.pool.isFull(buffer)).toBe(false);
    expect(bench.pool.add(buffer, packet, 0, 100, ASSEMBLY_BYTES - 10)).toBe(ASSEMBLY_BYTES);
    expect(bench.pool.isFull(buffer)).toBe(true);
    expect(bench.pool.add(buffer, packet, 0, 100, 2 ** 30)).toBe(ASSEMBLY_BYTES);
  });
});

describe("the pool", () => {
  it("gives up after eight packets, but not after many pieces of one", () => {
    const bench = new Bench();
    bench.add(Uint8Array.of(0), 0);
    const buffer = bench.pool.find(bench.packet);
    for (let i = 1; i < 30; i++) bench.pool.add(buffer, bench.packet, 0, 1, 2 * i);
    for (let i = 1; i < 8; i++) expect(bench.add(Uint8Array.of(0), 0)).toBe(1);
    expect(bench.add(Uint8Array.of(0), 0)).toBe(NO_BUFFER);
    expect(bench.counters[GivenUp.PACKETS]).toBe(1);
    expect(bench.pool.find(bench.packet)).toBe(NO_BUFFER);
  });

  it("gives up a stream with more gaps than it can note", () => {
    const bench = new Bench();
    bench.add(Uint8Array.of(0), 0);
    const buffer = bench.pool.find(bench.packet);
    const lengths = Array.from({ length: 40 }, (_, i) =>
      bench.pool.add(buffer, bench.packet, 0, 1, 2 * i),
    );
    expect(lengths).toContain(NO_BUFFER);
    expect(bench.counters[GivenUp.PACKETS]).toBeGreaterThan(0);
  });

  it("does not count a guess that it gives up", () => {
    const bench = new Bench();
    const buffer = bench.pool.open(bench.next(Uint8Array.of(0), { tcpSequence: 0 }), 0, true);
    bench.pool.giveUp(buffer, GivenUp.AGE);
    expect([...bench.counters]).toEqual([0, 0, 0, 0]);
  });

  it("gives up what is older than five seconds of packet time", () => {
    const bench = new Bench();
    bench.add(Uint8Array.of(0), 0);
    expect(bench.pool.find(bench.next(Uint8Array.of(0), { seconds: 5 }))).toBeGreaterThanOrEqual(0);
    const late = { seconds: 5, nanoseconds: 1_000_000 };
    expect(bench.pool.find(bench.next(Uint8Array.of(0), late))).toBe(NO_BUFFER);
    expect(bench.counters[GivenUp.AGE]).toBe(1);
  });

  it("gives up the oldest where there is no room, and counts it", () => {
    const bench = new Bench(4);
    const changes = (flow: number) => ({ flow, sourcePort: flow, seconds: flow });
    for (let flow = 0; flow < 5; flow++) bench.add(Uint8Array.of(flow), 0, changes(flow));
    expect(bench.counters[GivenUp.ROOM]).toBe(1);
    const found = [0, 1, 2, 3, 4].map((flow) =>
      bench.pool.find(bench.next(sequence, changes(flow))),
    );
    expect(found[0]).toBe(NO_BUFFER);
    expect(new Set(found).size).toBe(5);
  });

  it("has room until every buffer is taken, and again when their time is over", () => {
    const bench = new Bench(4);
    const changes = (flow: number, seconds = 0) => ({ flow, sourcePort: flow, seconds });
    const hasRoom = (seconds: number) =>
      bench.pool.hasRoom(bench.next(sequence, changes(9, seconds)));
    for (let flow = 0; flow < 4; flow++) {
      expect(hasRoom(0)).toBe(true);
      bench.add(Uint8Array.of(flow), 0, changes(flow));
    }
    expect(hasRoom(1)).toBe(false);
    expect(hasRoom(6)).toBe(true);
  });

  it("never hands a flow what another left in its slot", () => {
    const bench = new Bench();
    bench.add(Uint8Array.of(0), 0);
    expect(bench.pool.find(bench.next(sequence, { sourcePort: 40_001 }))).toBe(NO_BUFFER);
    expect(bench.pool.find(bench.next(sequence, { source3: 1 }))).toBe(NO_BUFFER);
    expect(bench.pool.find(bench.next(sequence, { source3: 0, flowSide: 1 }))).toBe(NO_BUFFER);
    expect(bench.pool.find(bench.next(sequence, { flowSide: 0, flowPackets: 9 }))).not.toBe(
      NO_BUFFER,
    );
    expect(bench.pool.find(bench.next(sequence, { flowPackets: 1 }))).toBe(NO_BUFFER);
  });
});
