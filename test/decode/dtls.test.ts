// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Stop } from "../../src/decode/protocol.ts";
import { FlowDecoding } from "./flow-decoding.ts";
import { type Bytes, bytes, frameOf, hex, u16, udpFrame } from "./frames.ts";

function record(content: Bytes, epoch = 0): Bytes {
  return bytes(hex("16 fefd"), u16(epoch), new Uint8Array(6), u16(content.length), content);
}

const u24 = (value: number): Bytes => bytes(value >>> 16, u16(value));

function fragment(type: number, body: Bytes, from = 0, to = body.length, sequence = 0): Bytes {
  const header = bytes(type, u24(body.length), u16(sequence), u24(from), u24(to - from));
  return bytes(header, body.subarray(from, to));
}

/** A ClientHello with a cookie and supported_versions. */
const clientHello = (versions: string): Bytes => {
  const list = hex(versions);
  const extension = bytes(u16(43), u16(list.length + 1), list.length, list);
  return bytes(
    hex("fefd"),
    new Uint8Array(32),
    hex("00 04 01020304 0004 c02b c02f 01 00"),
    u16(extension.length),
    extension,
  );
};

function take(decoding: FlowDecoding, ...payload: readonly Bytes[]): number {
  decoding.take(frameOf(udpFrame({ destinationPort: 4433, payload: bytes(...payload) })));
  return decoding.packet.fault;
}

const hellos = (decoding: FlowDecoding, version: string): number =>
  decoding.value("nam_tls_hellos_total", { transport: "dtls", version });

describe("a DTLS hello", () => {
  it.each([
    ["feff", "1.0", "dd1i020100_"],
    ["fefd feff", "1.2", "dd2i020100_"],
    ["fefc fefd", "1.3", "dd3i020100_"],
  ])("that offers %s is of version %s", (versions, label, ja4) => {
    const decoding = new FlowDecoding();
    expect(take(decoding, record(fragment(1, clientHello(versions))))).toBe(0);
    expect(hellos(decoding, label)).toBe(1);
    expect(decoding.packet.facts.hello?.ja4).toMatch(ja4);
    expect(decoding.tally("tls.ja3")).toEqual({});
  });

  it("is read once from fragments in any order, in any datagrams", () => {
    const body = clientHello("fefd feff");
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: body.length - 1 }), { maxLength: 6 });
    fc.assert(
      fc.property(cuts, fc.boolean(), fc.nat(20), (at, reversed, overlap) => {
        const bounds = [0, ...at.sort((a, b) => a - b), body.length];
        const fragments = bounds
          .slice(1)
          .map((to, i) => record(fragment(1, body, Math.max(0, (bounds[i] ?? 0) - overlap), to)));
        const decoding = new FlowDecoding();
        for (const one of reversed ? fragments.reverse() : fragments) {
          expect(take(decoding, one)).toBe(0);
        }
        expect(hellos(decoding, "1.2")).toBe(1);
      }),
    );
  });

  it("is not mixed with the fragments of another", () => {
    const decoding = new FlowDecoding();
    const body = clientHello("fefd");
    take(decoding, record(fragment(1, clientHello("feff"), 0, 30, 0)));
    take(
      decoding,
      record(fragment(1, body, 0, 30, 1)),
      record(fragment(1, body, 30, undefined, 1)),
    );
    expect(hellos(decoding, "1.2")).toBe(1);
    expect(hellos(decoding, "1.0")).toBe(0);
  });

  it("of a server is read, behind other messages of its record", () => {
    const decoding = new FlowDecoding();
    const server = bytes(hex("fefd"), new Uint8Array(32), hex("00 c02b 00"));
    take(decoding, record(bytes(fragment(3, hex("feff 02 0102")), fragment(2, server))));
    const labels = { transport: "dtls", version: "1.2" };
    expect(decoding.value("nam_tls_server_hellos_total", labels)).toBe(1);
  });

  it("in an encrypted record is not looked for", () => {
    const decoding = new FlowDecoding();
    expect(take(decoding, record(new Uint8Array(30).fill(1), 1))).toBe(0);
  });

  it.each([
    ["a fragment past its message", fragment(1, new Uint8Array(9)).with(11, 10)],
    ["a fragment past its record", bytes(fragment(1, new Uint8Array(90)).subarray(0, 60))],
    ["a header cut short", hex("01 000000 00")],
  ])("with %s is malformed", (_name, content) => {
    expect(take(new FlowDecoding(), record(content))).toBe(Stop.MALFORMED);
  });
});
