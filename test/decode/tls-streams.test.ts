// SPDX-License-Identifier: AGPL-3.0-or-later
// TLS as segments bring it: the same hello must come out, however the sender and the network cut and mix it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../scripts/fixtures/bytes.ts";
import { clientHelloMessage, serverHelloMessage } from "../../scripts/fixtures/messages.ts";
import { SETTLED_FLAG } from "../../src/decode/packet.ts";
import { Stop } from "../../src/decode/protocol.ts";
import { FlowDecoding } from "./flow-decoding.ts";
import {
  type Bytes,
  bytes,
  ethernet,
  frameOf,
  handshakeRecord,
  hex,
  ipv4,
  tcp,
  tcpFrame,
} from "./frames.ts";

const BASE = 0xfffff000;
const NAME = "segments.example.com";

/** One connection; the other side only has its ports the other way round. */
class Connection {
  readonly decoding: FlowDecoding;
  readonly #port: number;
  readonly #clientPort: number;
  #milliseconds = 0;
  #answered = 1;
  #verdict = 0;

  constructor(port: number, decoding = new FlowDecoding(), clientPort = 50_000, isMidway = false) {
    this.decoding = decoding;
    this.#port = port;
    this.#clientPort = clientPort;
    if (!isMidway) this.segment(BASE - 1, bytes(), 0x02);
  }

  segment(sequence: number, payload: Uint8Array, flags = 0x18, cut = 0): number {
    const ports = { sourcePort: this.#clientPort, destinationPort: this.#port };
    const content = tcpFrame({ ...ports, sequence, payload, flags });
    const captured = content.subarray(0, content.length - cut);
    this.#milliseconds++;
    this.#verdict = this.decoding.take(
      frameOf(captured, { wireLength: content.length, nanoseconds: this.#milliseconds * 1e6 }),
    );
    return this.decoding.packet.fault;
  }

  wait(seconds: number): void {
    this.#milliseconds += seconds * 1000;
  }

  /** The server's next bytes. */
  answer(payload: Uint8Array): void {
    const segment = tcp({ ...this.#back(), sequence: this.#answered, payload });
    this.#answered += payload.length;
    const back = { source: "198.51.100.7", destination: "192.168.0.10" };
    const content = ethernet(0x0800, ipv4({ protocol: 6, payload: segment, ...back }));
    this.#verdict = this.decoding.take(frameOf(content));
  }

  #back() {
    return { sourcePort: this.#port, destinationPort: this.#clientPort };
  }

  get isSettled(): boolean {
    return (this.#verdict & SETTLED_FLAG) !== 0;
  }

  get names(): Record<string, number> {
    return this.decoding.tally("tls.sni");
  }

  givenUp(reason: string): number {
    return this.decoding.value("nam_tls_reassembly_given_up_total", { reason });
  }
}

const message = (padding: number): Uint8Array =>
  clientHelloMessage(seededRandom(1), { serverName: NAME, tls13: true, alpn: ["h2"], padding });

/** The message in records of these lengths. */
function inRecords(content: Uint8Array, lengths: readonly number[]): Uint8Array {
  const records: Uint8Array[] = [];
  let at = 0;
  for (const length of [...lengths, content.length]) {
    if (at >= content.length) break;
    records.push(handshakeRecord(content.subarray(at, at + length)));
    at += length;
  }
  return bytes(...records);
}

describe("a ClientHello", () => {
  const ports = fc.constantFrom(443, 9443);
  const records = fc.array(fc.integer({ min: 60, max: 1500 }), { maxLength: 4 });
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 1600 }), { maxLength: 7 });
  const shuffle = fc.array(fc.nat(7), { minLength: 8, maxLength: 8 });

  it("is read once from any segments, records and order, on any port", () => {
    // Making a decoder takes far longer than a run.
    const decoding = new FlowDecoding();
    let runs = 0;
    fc.assert(
      fc.property(
        ports,
        records,
        cuts,
        shuffle,
        fc.nat(300),
        (port, lengths, at, order, overlap) => {
          const stream = inRecords(message(1400), lengths);
          const bounds = [0, ...at.sort((a, b) => a - b), stream.length];
          const pieces = bounds.slice(1).map((to, i) => ({
            from: Math.max(0, (bounds[i] ?? 0) - (i % 2 === 0 ? 0 : overlap)),
            to,
          }));
          for (const [i, j] of order.entries()) {
            const [a, b] = [pieces[i], pieces[j]];
            if (a && b) [pieces[i], pieces[j]] = [b, a];
          }
          const before = decoding.value("nam_tls_hellos_total");
          const connection = new Connection(port, decoding, 50_000 + runs++);
          for (const { from, to } of pieces) {
            expect(connection.segment(BASE + from, stream.subarray(from, to))).toBe(0);
          }
          expect(connection.names).toEqual({ [NAME]: before + 1 });
          expect(decoding.value("nam_tls_hellos_total")).toBe(before + 1);
          expect(connection.decoding.names().application).toBe("tls");
        },
      ),
      { numRuns: 200 },
    );
  });

  it("is read in any order where the connection's beginning was not seen", () => {
    const stream = handshakeRecord(message(1400));
    for (const cut of [1, 3, 1000]) {
      const pieces = [
        { at: 0, payload: stream.subarray(0, cut) },
        { at: cut, payload: stream.subarray(cut) },
      ];
      for (const order of [pieces, [...pieces].reverse()]) {
        const connection = new Connection(443, new FlowDecoding(), 50_000, true);
        for (const { at, payload } of order) connection.segment(BASE + at, payload);
        expect(connection.names).toEqual({ [NAME]: 1 });
      }
    }
  });

  it("keeps its place where connections from before the capture go on with their data", () => {
    const decoding = new FlowDecoding();
    const stream = handshakeRecord(message(1400));
    const connection = new Connection(443, decoding);
    connection.segment(BASE, stream.subarray(0, 1000));
    for (let i = 1; i <= 1000; i++) {
      const other = new Connection(443, decoding, 50_000 + i, true);
      other.wait(i / 1000);
      other.segment(BASE, new Uint8Array(1400).fill(0x41));
    }
    connection.wait(1);
    connection.segment(BASE + 1000, stream.subarray(1000));
    expect(connection.names).toEqual({ [NAME]: 1 });
  });

  it("that is retransmitted counts once, and another one in its place counts", () => {
    const connection = new Connection(443);
    const hello = handshakeRecord(message(0));
    connection.segment(BASE, hello);
    connection.segment(BASE, hello);
    expect(connection.decoding.value("nam_tls_hellos_total")).toBe(1);
    connection.segment(BASE + hello.length, hello);
    expect(connection.decoding.value("nam_tls_hellos_total")).toBe(2);
  });

  it.each([
    ["bytes", "says that it is longer than 16 KiB", handshakeRecord(hex("01 00ffff 0303"), 16_000)],
    ["bytes", "goes past 16 KiB", bytes(handshakeRecord(hex("01 003ffe 0303"), 16_000))],
  ])("is given up for its %s where it %s", (reason, _why, start) => {
    const connection = new Connection(443);
    const payload = bytes(start, new Uint8Array(60_000));
    for (let at = 0; at < 20_000; at += 4000) {
      connection.segment(BASE + at, payload.subarray(at, at + 4000));
    }
    expect(connection.givenUp(reason)).toBe(1);
    expect(connection.decoding.value("nam_tls_hellos_total")).toBe(0);
  });

  it("is given up after eight segments", () => {
    const connection = new Connection(443);
    const stream = handshakeRecord(message(1400));
    for (let at = 0; at < 500; at += 50) {
      connection.segment(BASE + at, stream.subarray(at, at + 50));
    }
    expect(connection.givenUp("packets")).toBe(1);
  });

  it("is given up after five seconds", () => {
    const connection = new Connection(443);
    const stream = handshakeRecord(message(1400));
    connection.segment(BASE, stream.subarray(0, 1000));
    connection.wait(6);
    connection.segment(BASE + 1000, stream.subarray(1000));
    expect(connection.givenUp("age")).toBe(1);
    expect(connection.names).toEqual({});
  });

  it("of which the capture cut a segment is truncated", () => {
    const connection = new Connection(443);
    expect(connection.segment(BASE, handshakeRecord(message(0)), 0x18, 20)).toBe(Stop.TRUNCATED);
  });

  it("that ends before its length says, with another record behind it, is malformed", () => {
    const connection = new Connection(443);
    const cut = handshakeRecord(message(0).subarray(0, 100));
    expect(connection.segment(BASE, bytes(cut, hex("1703030001 00")))).toBe(Stop.MALFORMED);
  });

  it("of SSL 2 form is recognised", () => {
    const connection = new Connection(9443);
    const ssl2 = hex("80 2e 01 0301 0015 0000 0010");
    connection.segment(BASE, bytes(ssl2, new Uint8Array(0x25)));
    const labels = { transport: "tcp", version: "1.0", sni: "no", family: "other" };
    expect(connection.decoding.value("nam_tls_hellos_total", labels)).toBe(1);
  });

  it("tells whether it brings ECH, or a session to resume", () => {
    const connection = new Connection(443);
    const features = (feature: string) =>
      connection.decoding.value("nam_tls_hello_features_total", { feature });
    const extensions = hex("fe0d 0001 00  0023 0002 0102  002a 0000  0029 0001 00");
    const body = bytes(hex("0303"), new Uint8Array(32), hex("00 0002 1301 01 00 0014"), extensions);
    connection.segment(BASE, handshakeRecord(bytes(1, 0, 0, body.length, body)));
    expect(connection.decoding.packet.facts.hello).toMatchObject({ ech: true, resumes: true });
    for (const name of ["ech", "pre_shared_key", "session_ticket", "early_data"]) {
      expect(features(name)).toBe(1);
    }
  });
});

describe("a ServerHello", () => {
  const version13 = hex("002b 0002 0304");
  const hello = (extensions: Uint8Array) =>
    serverHelloMessage(seededRandom(2), Buffer.from(extensions));

  it("tells version, cipher and JA3S", () => {
    const connection = new Connection(443);
    connection.segment(BASE, handshakeRecord(hello(version13)));
    expect(connection.decoding.packet.facts.serverHello).toMatchObject({
      version: "1.3",
      cipher: 0xc02f,
      isRetry: false,
      transport: "tcp",
    });
    const labels = { transport: "tcp", version: "1.3" };
    expect(connection.decoding.value("nam_tls_server_hellos_total", labels)).toBe(1);
  });

  it("that asks for another hello is counted as such", () => {
    const connection = new Connection(443);
    const retry = Buffer.from(hello(version13));
    retry.set(hex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"), 6);
    connection.segment(BASE, handshakeRecord(retry));
    expect(connection.decoding.value("nam_tls_hello_retries_total")).toBe(1);
  });

  it("with a lying length is malformed", () => {
    const connection = new Connection(443);
    expect(connection.segment(BASE, handshakeRecord(hello(hex("002b 0009 0304"))))).toBe(
      Stop.MALFORMED,
    );
  });
});

describe("a connection after its handshake", () => {
  const hello = (extensions: string) =>
    handshakeRecord(serverHelloMessage(seededRandom(2), Buffer.from(hex(extensions))));

  it("is settled when both sides have said all there is to read", () => {
    const connection = new Connection(443);
    connection.segment(BASE, handshakeRecord(message(0)));
    expect(connection.isSettled).toBe(false);
    connection.answer(hello("002b 0002 0304"));
    expect(connection.isSettled).toBe(true);
  });

  it("is not settled by what an earlier one between the same ports said", () => {
    const connection = new Connection(443);
    connection.segment(BASE, handshakeRecord(message(0)));
    connection.answer(hello("002b 0002 0304"));
    connection.segment(BASE + 4000, bytes(), 0x04);
    connection.segment(BASE + 9999, bytes(), 0x02);
    connection.segment(BASE + 10_000, handshakeRecord(message(0)));
    expect(connection.names).toEqual({ [NAME]: 2 });
    expect(connection.isSettled).toBe(false);
  });

  it("is not settled while a certificate or another hello may come", () => {
    const waiting = new Connection(443);
    waiting.segment(BASE, handshakeRecord(message(0)));
    waiting.answer(hello("ff01 0001 00"));
    expect(waiting.isSettled).toBe(false);
    waiting.answer(hex("1403030001 01"));
    expect(waiting.isSettled).toBe(true);
  });

  it("is left alone, but for a hello behind a CONNECT however late", () => {
    const connection = new Connection(8080);
    const request = bytes("GET http://a.example/ HTTP/1.1\r\n\r\n");
    const tunnel = bytes("CONNECT a.example:443 HTTP/1.1\r\n\r\n");
    let sequence = BASE;
    const send = (payload: Bytes): void => {
      connection.segment(sequence, payload);
      sequence += payload.length;
    };
    for (let i = 0; i < 60; i++) send(request);
    const stream = handshakeRecord(message(1400));
    send(tunnel);
    send(stream.subarray(0, 1000));
    send(stream.subarray(1000));
    expect(connection.names).toEqual({ [NAME]: 1 });
  });
});
