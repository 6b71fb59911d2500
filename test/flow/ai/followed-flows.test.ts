// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { emptyPacket, type Packet, type PacketFacts } from "../../../src/decode/packet.ts";
import { type DnsAnswers, NO_NAME } from "../../../src/flow/ai/dns-answers.ts";
import { FlowNames } from "../../../src/flow/ai/flow-names.ts";
import { FollowedFlows } from "../../../src/flow/ai/followed-flows.ts";
import { AiProviders } from "../../../src/flow/ai/providers.ts";
import { FlowRows, NEXT_SEQUENCE, ROW_SHIFT } from "../../../src/flow/flow-rows.ts";
import { Protocol, setPacket, v4 } from "../../support/packets.ts";

const SLOTS = 32_768;
/** Flows that are followed at once. */
const CAPACITY = 16_384;
const ENDS = [v4("10.0.0.5", 50_000), v4("198.51.100.20", 443)] as const;
const CLIENT = 0;
const SERVER = 1;

/** A flow table's rows, names of flows, and what is told of those that are followed. */
class Bench {
  readonly rows = new FlowRows(SLOTS);
  readonly unwanted = new Set<number>();
  readonly told: string[] = [];
  readonly names = new FlowNames(
    new AiProviders(),
    { find: () => NO_NAME } as unknown as DnsAnswers,
    SLOTS,
  );
  readonly followed = new FollowedFlows(
    this.rows,
    this.names,
    (slot) => !this.unwanted.has(slot),
    (slot, up, down, isCompleted) =>
      this.told.push(`${slot}: ${up} up, ${down} down${isCompleted ? ", completed" : ""}`),
  );

  /** A flow that greets, with `flowSide` as the side of the one who does. */
  greet(slot: number, ipProtocol: number = Protocol.TCP, flowSide = 0): void {
    const packet = setPacket(emptyPacket({}), ...ENDS, { ipProtocol });
    this.rows.begin(slot, packet, 0, 1, 0);
    this.#named(slot, flowSide, {
      hello: {
        ...{ packet: 0, transport: ipProtocol === Protocol.TCP ? "tcp" : "quic", version: "1.3" },
        ...{ sni: "api.openai.com", alpn: "", ja3: "", ja4: "", family: "go" },
        ...{ ech: false, resumes: false },
      },
    });
    this.followed.follow(slot, true);
  }

  /** A flow with a request in clear text. */
  request(slot: number): void {
    const packet = setPacket(emptyPacket({}), ...ENDS, { ipProtocol: Protocol.TCP });
    this.rows.begin(slot, packet, 0, 1, 0);
    this.#named(slot, 0, {
      http: {
        ...{ packet: 0, requests: 1, responses: 0, method: 0, status: -1, fields: 0 },
        ...{
          headerOpen: false,
          responseRest: -1,
          bodyPending: false,
          connectFamily: "",
          host: () => "api.openai.com",
        },
      },
    });
    this.followed.follow(slot, true);
  }

  /** The server's hello, which acknowledges what the client sent until then. */
  answer(slot: number, acknowledgment = 1000, flowSide = SERVER): void {
    const packet = setPacket(emptyPacket({}), ENDS[1], ENDS[0], {
      ...{ ipProtocol: this.rows.ipProtocol(slot), acknowledgment },
    });
    this.followed.answered(Object.assign(packet, { flow: slot, flowSide }));
  }

  /** What the client has sent of its TCP stream by now. */
  sent(slot: number, sequence: number): void {
    this.rows.words[(slot << ROW_SHIFT) + NEXT_SEQUENCE] = sequence | 0;
  }

  carry(slot: number, up: number, down: number): void {
    if (up > 0) this.rows.count(slot, CLIENT, up);
    if (down > 0) this.rows.count(slot, SERVER, down);
  }

  /** What is told at the end of a window. */
  sweep(): string[] {
    this.told.length = 0;
    this.followed.sweep();
    return [...this.told];
  }

  #named(flow: number, flowSide: number, facts: PacketFacts): void {
    const packet: Packet = Object.assign(emptyPacket(facts), { flow, flowSide });
    this.names.onPacket(packet, 0);
  }
}

describe("a flow that is followed", () => {
  it("is told of with what it carried since it was told of last, and not where that is nothing", () => {
    const bench = new Bench();
    bench.greet(7);
    expect(bench.sweep()).toEqual([]);
    bench.carry(7, 300, 500);
    expect(bench.sweep()).toEqual(["7: 300 up, 500 down"]);
    expect(bench.sweep()).toEqual([]);
    bench.carry(7, 0, 40);
    expect(bench.sweep()).toEqual(["7: 0 up, 40 down"]);
  });

  it("is not begun again by another name, and is by another flow in its slot", () => {
    const bench = new Bench();
    bench.greet(7);
    bench.carry(7, 300, 500);
    bench.sweep();
    expect(bench.followed.follow(7, false)).toBe(true);
    bench.carry(7, 10, 0);
    expect(bench.sweep()).toEqual(["7: 10 up, 0 down"]);
    bench.greet(7);
    bench.carry(7, 20, 0);
    expect(bench.sweep()).toEqual(["7: 20 up, 0 down"]);
    expect(bench.followed.size).toBe(1);
  });

  it("has its sides as they greeted, where the capture began in the middle", () => {
    const bench = new Bench();
    bench.greet(7, Protocol.TCP, 1);
    bench.carry(7, 300, 500);
    expect(bench.sweep()).toEqual(["7: 500 up, 300 down"]);
  });

  it("ends with the flow, and where it is wanted no more; the others go on", () => {
    const bench = new Bench();
    for (const slot of [3, 4, 5, 6, 7]) bench.greet(slot);
    for (const slot of [3, 4, 5, 6]) bench.answer(slot, slot * 1000);
    for (const slot of [3, 4, 5, 6]) bench.carry(slot, slot, 1000);
    bench.rows.end(3);
    bench.unwanted.add(5);
    expect(bench.sweep().sort()).toEqual(["4: 4 up, 1000 down", "6: 6 up, 1000 down"]);
    expect(bench.followed.size).toBe(3);
    // Whoever took the place of one that ended is found there, with its own mark.
    bench.answer(7, 7000);
    bench.sent(4, 4064);
    bench.sent(6, 6063);
    bench.sent(7, 7064);
    bench.carry(7, 7, 1000);
    expect(bench.sweep().sort()).toEqual([
      "4: 0 up, 0 down, completed",
      "7: 7 up, 1000 down, completed",
    ]);
    bench.sent(6, 6064);
    expect(bench.sweep()).toEqual(["6: 0 up, 0 down, completed"]);
    bench.unwanted.add(4);
    bench.carry(6, 1, 0);
    expect(bench.sweep()).toEqual(["6: 1 up, 0 down"]);
    for (const slot of [6, 7]) bench.rows.end(slot);
    expect(bench.sweep()).toEqual([]);
    expect(bench.followed.size).toBe(0);
  });

  it("is refused where there is no room, and taken when there is again", () => {
    const bench = new Bench();
    for (let slot = 0; slot < CAPACITY; slot++) bench.greet(slot);
    expect(bench.followed.size).toBe(CAPACITY);
    expect(bench.followed.follow(CAPACITY, true)).toBe(false);
    expect(bench.followed.follow(5, false)).toBe(true);
    bench.rows.end(9);
    bench.sweep();
    expect(bench.followed.follow(CAPACITY, true)).toBe(true);
    expect(bench.followed.size).toBe(CAPACITY);
  });
});

describe("a handshake", () => {
  it.each<[string, number, number, boolean]>([
    ["a Finished and a kilobyte in return", 64, 1000, true],
    ["an alert", 63, 1000, false],
    ["little in return", 64, 999, false],
  ])("of TCP with %s", (_, finished, down, isCompleted) => {
    // Across the end of the sequence numbers, and of the numbers with a sign.
    for (const acknowledgment of [1000, 0xffff_fff0 | 0, 0x7fff_fff0]) {
      const bench = new Bench();
      bench.greet(7);
      bench.answer(7, acknowledgment);
      bench.sent(7, acknowledgment + finished);
      bench.carry(7, 100, down);
      expect(bench.sweep()).toEqual([`7: 100 up, ${down} down${isCompleted ? ", completed" : ""}`]);
    }
  });

  it("of TCP is no more complete without a ServerHello, or by a second one", () => {
    const bench = new Bench();
    bench.greet(7);
    bench.sent(7, 5000);
    bench.carry(7, 4000, 4000);
    expect(bench.sweep()).toEqual(["7: 4000 up, 4000 down"]);
    bench.answer(7, 5000);
    bench.answer(7, 4000);
    bench.carry(7, 1, 0);
    expect(bench.sweep()).toEqual(["7: 1 up, 0 down"]);
  });

  it.each([
    [1299, ""],
    [1300, ", completed"],
  ])("of QUIC counts bytes on the wire behind the ServerHello: %i", (more, end) => {
    const bench = new Bench();
    bench.greet(7, Protocol.UDP);
    bench.carry(7, 1250, 1250);
    bench.answer(7);
    bench.carry(7, more, 0);
    expect(bench.sweep()).toEqual([`7: ${1250 + more} up, 1250 down${end}`]);
  });

  it("is not needed in clear text, and is told once", () => {
    const bench = new Bench();
    bench.request(7);
    bench.carry(7, 200, 999);
    expect(bench.sweep()).toEqual(["7: 200 up, 999 down"]);
    bench.carry(7, 0, 1);
    expect(bench.sweep()).toEqual(["7: 0 up, 1 down, completed"]);
    bench.carry(7, 0, 1);
    expect(bench.sweep()).toEqual(["7: 0 up, 1 down"]);
  });
});
