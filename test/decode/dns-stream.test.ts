// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Stop } from "../../src/decode/protocol.ts";
import { Decoding } from "./decoding.ts";
import { type Bytes, bytes, dnsMessage, tcpFrame, u16 } from "./frames.ts";

const BASE = 0xffff_ff00;

/** A message behind its length. */
function framed(message: Bytes): Bytes {
  return bytes(u16(message.length), message);
}

function named(name: string, extra = 0): Bytes {
  return framed(dnsMessage({ labels: name.split("."), tail: new Uint8Array(extra) }));
}

/** One side of a connection to port 53. */
class Stream {
  readonly decoding = new Decoding();

  /** Sends bytes as those from `offset` of the stream on; returns the packet's fault. */
  send(offset: number, payload: Bytes, cutBytes = 0): number {
    const frame = tcpFrame({ destinationPort: 53, payload, sequence: BASE + offset });
    const captured = frame.subarray(0, frame.length - cutBytes);
    return this.decoding.takeBytes(captured, { wireLength: frame.length }).fault;
  }

  get names(): Record<string, number> {
    return this.decoding.tally("dns.names");
  }

  get count(): number {
    return this.decoding.value("nam_dns_messages_total");
  }
}

describe("dns over tcp", () => {
  it("finds several messages in a segment", () => {
    const stream = new Stream();
    const messages = Array.from({ length: 20 }, (_, i) => named(`a${i}.example`));
    expect(stream.send(0, bytes(...messages))).toBe(0);
    expect(stream.count).toBe(20);
    expect(stream.decoding.packet.facts.dns?.count).toBe(16);
    const count = (property: string) =>
      stream.decoding.value("nam_dns_properties_total", { property });
    expect([count("tcp"), count("not_followed")]).toEqual([20, 4]);
  });

  it("counts each message once, however the stream is cut, sent again, and put in order", () => {
    const messages = ["one.example", "two.example", "three.example", "four.example"];
    const whole = bytes(...messages.map((name) => named(name, 30)));
    const cuts = fc.uniqueArray(fc.integer({ min: 2, max: whole.length - 1 }), { maxLength: 3 });
    fc.assert(
      fc.property(cuts, fc.boolean(), fc.nat(), (at, isAgain, swap) => {
        const stream = new Stream();
        const bounds = [0, ...at.sort((a, b) => a - b), whole.length];
        const pieces = bounds.slice(1).map((to, i) => ({ from: bounds[i] ?? 0, to }));
        // Any two neighbours behind the first piece may come in the wrong order.
        const i = 1 + (swap % Math.max(1, pieces.length - 1));
        if (i + 1 < pieces.length) pieces.splice(i, 2, pieces[i + 1] as never, pieces[i] as never);
        for (const { from, to } of pieces) {
          expect(stream.send(from, whole.subarray(from, to))).toBe(0);
          if (isAgain) expect(stream.send(from, whole.subarray(from, to))).toBe(0);
        }
        expect(stream.names).toEqual(Object.fromEntries(messages.map((name) => [name, 1])));
      }),
    );
  });

  it("waits for a message whose length comes alone", () => {
    const stream = new Stream();
    const message = named("www.example");
    stream.send(0, message.subarray(0, 2));
    expect(stream.count).toBe(0);
    stream.send(2, message.subarray(2));
    expect(stream.names).toEqual({ "www.example": 1 });
  });

  it("reads the beginning of a message too long to wait for, and goes on behind it", () => {
    const stream = new Stream();
    const long = named("zone.example", 40_000);
    const whole = bytes(named("a.example"), long, named("b.example"));
    for (let at = 0; at < whole.length; at += 1400) {
      expect(stream.send(at, whole.subarray(at, at + 1400))).toBe(0);
    }
    expect(stream.names).toEqual({ "a.example": 1, "zone.example": 1, "b.example": 1 });
  });

  it("reads what it can of a message that the capture cut, and goes on behind it", () => {
    const stream = new Stream();
    const [first, second] = [named("cut.example", 100), named("next.example")];
    expect(stream.send(0, first, 50)).toBe(0);
    expect(stream.send(first.length, second)).toBe(0);
    expect(stream.names).toEqual({ "cut.example": 1, "next.example": 1 });
  });

  it("calls a question that the capture cut truncated", () => {
    expect(new Stream().send(0, named("cut.example"), 12)).toBe(Stop.TRUNCATED);
  });

  it("calls a length below that of a header malformed", () => {
    const stream = new Stream();
    const first = named("a.example");
    expect(stream.send(0, bytes(first, u16(5), new Uint8Array(30)))).toBe(Stop.MALFORMED);
    expect(stream.count).toBe(1);
  });

  it("does not take the middle of a stream for its beginning", () => {
    const stream = new Stream();
    const whole = named("a.example", 400);
    expect(stream.send(100, bytes(u16(300), whole.subarray(0, 1).fill(0xff), whole))).toBe(
      Stop.UNSUPPORTED,
    );
    expect(stream.count).toBe(0);
  });

  it("gives a message up of which a piece never comes, and finds the next connection's", () => {
    const stream = new Stream();
    const message = named("lost.example", 3000);
    stream.send(0, message.subarray(0, 1000));
    for (let at = 0; at < 9; at++) {
      stream.send(2000 + at * 100, message.subarray(2000 + at * 100, 2100 + at * 100));
    }
    expect(stream.decoding.value("nam_dns_reassembly_given_up_total")).toBe(1);
    expect(stream.send(1 << 24, named("new.example"))).toBe(0);
    expect(stream.names).toEqual({ "new.example": 1 });
  });

  it("is proved on another port by a whole message", () => {
    const decoding = new Decoding();
    decoding.takeBytes(tcpFrame({ destinationPort: 40_000, payload: named("a.example") }));
    expect(decoding.names().application).toBe("dns");
    decoding.takeBytes(tcpFrame({ destinationPort: 40_000, payload: named("a.example", 3) }));
    expect(decoding.names().application).toBe("other");
  });
});
