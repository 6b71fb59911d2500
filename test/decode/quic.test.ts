// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../scripts/fixtures/bytes.ts";
import { clientHelloMessage, serverHelloMessage } from "../../scripts/fixtures/messages.ts";
import {
  ackFrame,
  cryptoFrame,
  DRAFT_29,
  type InitialFields,
  initialKeys,
  initialPacket,
  opaquePacket,
  PING,
  QUIC_1,
  QUIC_2,
  retryPacket,
  versionNegotiation,
} from "../../scripts/fixtures/quic.ts";
import { SETTLED_FLAG } from "../../src/decode/packet.ts";
import { Stop } from "../../src/decode/protocol.ts";
import { FlowDecoding } from "./flow-decoding.ts";
import { type Bytes, bytes, ethernet, frameOf, hex, ipv4, udp } from "./frames.ts";

const NAME = "quic.example.com";
const ORIGINAL = Buffer.from(hex("8394c8f03e515708"));
const CLIENT = Buffer.from(hex("c1c2c3"));
const SERVER = Buffer.from(hex("f067a5502a4262b5"));

/** One client and one server. */
class Connection {
  readonly decoding = new FlowDecoding();
  readonly hello: Buffer;
  readonly version: number;
  #verdict = 0;

  constructor(version = QUIC_1, padding = 0) {
    this.version = version;
    const fields = { serverName: NAME, alpn: ["h3"], tls13: true, padding };
    this.hello = clientHelloMessage(seededRandom(3), fields);
  }

  initial(frames: Buffer, fields: Partial<InitialFields> = {}, keyId = ORIGINAL): Buffer {
    const keys = initialKeys(this.version, keyId, "client");
    const ends = { to: ORIGINAL, from: CLIENT };
    return initialPacket({ version: this.version, keys, frames, ...ends, ...fields });
  }

  answer(frames: Buffer, keyId = ORIGINAL): Buffer {
    const keys = initialKeys(this.version, keyId, "server");
    return initialPacket({ version: this.version, keys, frames, to: CLIENT, from: SERVER });
  }

  up(...packets: readonly Bytes[]): number {
    return this.#take("192.168.0.10", "198.51.100.7", 50_000, 443, bytes(...packets));
  }

  down(...packets: readonly Bytes[]): number {
    return this.#take("198.51.100.7", "192.168.0.10", 443, 50_000, bytes(...packets));
  }

  #take(from: string, to: string, sourcePort: number, port: number, payload: Bytes): number {
    const datagram = udp({ sourcePort, destinationPort: port, payload });
    const packet = ipv4({ protocol: 17, source: from, destination: to, payload: datagram });
    this.#verdict = this.decoding.take(frameOf(ethernet(0x0800, packet)));
    return this.decoding.packet.fault;
  }

  get isSettled(): boolean {
    return (this.#verdict & SETTLED_FLAG) !== 0;
  }

  get names(): Record<string, number> {
    return this.decoding.tally("quic.sni");
  }

  initials(result: string): number {
    return this.decoding.value("nam_quic_initials_total", { result });
  }

  packets(type: string): number {
    return this.decoding.value("nam_quic_long_packets_total", { type });
  }
}

/** RFC 9001 §A.2 and RFC 9369 §A.2: one client hello under both versions. */
const RFC_FRAMES = hex(`
  060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302
  010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d001700180010000700050461
  6c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e9
  94ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c000240010039003204
  08ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff`);
const RFC_CLIENT = [
  {
    version: QUIC_1,
    key: "1f369613dd76d5467730efcbe3b1a22d",
    iv: "fa044b2f42a3fd3b46fb255c",
    hp: "9f50449e04a0e810283a1e9933adedd2",
    start: "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11",
    tag: "e221af44860018ab0856972e194cd934",
  },
  {
    version: QUIC_2,
    key: "8b1a0bc121284290a29e0971b5cd045d",
    iv: "91f73e2351d8fa91660e909f",
    hp: "45b95e15235d6f45a6b19cbcb0294ba9",
    start: "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485",
    tag: "a18b2faa745b6fe189cf772a9f84cbfc",
  },
];
/** RFC 9001 §A.3 and RFC 9369 §A.3: the server's answers. */
const RFC_SERVER = {
  [QUIC_1]: `cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780b
    b38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb8402
    2f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee`,
  [QUIC_2]: `dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf8726
    3017915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2c9
    84c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140`,
};

describe.each(RFC_CLIENT)("the vectors of version $version", ({ version, start, tag, ...rfc }) => {
  const keys = initialKeys(version, ORIGINAL, "client");
  const packet = initialPacket({
    version,
    keys,
    to: ORIGINAL,
    from: Buffer.alloc(0),
    frames: Buffer.from(RFC_FRAMES),
    packetNumber: 2,
    paddedTo: 1200,
  });

  it("are what the generator of these tests makes", () => {
    const { key, iv, hp } = keys;
    expect([key, iv, hp].map((one) => one.toString("hex"))).toEqual([rfc.key, rfc.iv, rfc.hp]);
    expect(packet.length).toBe(1200);
    expect(packet.subarray(0, 32).toString("hex")).toBe(start);
    // The tag is over every byte before it.
    expect(packet.subarray(-16).toString("hex")).toBe(tag);
  });

  it("give the hellos of both sides", () => {
    const connection = new Connection(version);
    expect(connection.up(packet)).toBe(0);
    expect(connection.decoding.packet.facts.hello).toMatchObject({
      transport: "quic",
      version: "1.3",
      sni: "example.com",
      alpn: "alpn",
      ja4: expect.stringMatching(/^q13d0211an_/),
    });
    expect(connection.down(hex(RFC_SERVER[version as 1] ?? ""))).toBe(0);
    expect(connection.decoding.packet.facts.serverHello).toMatchObject({
      transport: "quic",
      version: "1.3",
      cipher: 0x1301,
    });
    expect(connection.initials("decrypted")).toBe(2);
  });
});

describe("a QUIC hello", () => {
  it.each([QUIC_1, QUIC_2, DRAFT_29])(
    "is read once from frames in any order, version %s",
    (version) => {
      const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 1600 }), { maxLength: 20 });
      const shuffle = fc.array(fc.nat(20), { minLength: 21, maxLength: 21 });
      const packets = fc.integer({ min: 1, max: 6 });
      fc.assert(
        fc.property(cuts, shuffle, packets, fc.nat(50), (at, order, count, overlap) => {
          const connection = new Connection(version, 1400);
          const { hello } = connection;
          const bounds = [0, ...at.sort((a, b) => a - b), hello.length];
          const frames = bounds.slice(1).map((to, i) => {
            const from = Math.max(0, (bounds[i] ?? 0) - overlap);
            return Buffer.concat([PING, cryptoFrame(hello, from, Math.min(to, hello.length))]);
          });
          for (const [i, j] of order.entries()) {
            const [a, b] = [frames[i], frames[j]];
            if (a && b) [frames[i], frames[j]] = [b, a];
          }
          for (let i = 0; i < count; i++) {
            const mine = frames.filter((_, index) => index % count === i);
            const numberLength = 1 + (i % 4);
            expect(
              connection.up(
                connection.initial(Buffer.concat(mine), { packetNumber: i, numberLength }),
              ),
            ).toBe(0);
          }
          expect(connection.names).toEqual({ [NAME]: 1 });
        }),
        { numRuns: 60 },
      );
    },
  );

  it("is read from several packets in one datagram", () => {
    const connection = new Connection(QUIC_1, 1000);
    const { hello } = connection;
    connection.up(
      connection.initial(cryptoFrame(hello, 700), { packetNumber: 1 }),
      opaquePacket(QUIC_1, 1, ORIGINAL, CLIENT),
      connection.initial(cryptoFrame(hello, 0, 700)),
      new Uint8Array(20),
    );
    expect(connection.names).toEqual({ [NAME]: 1 });
    expect(connection.packets("initial")).toBe(2);
    expect(connection.packets("zero_rtt")).toBe(1);
  });

  it("goes on under the server's id with the first keys", () => {
    const connection = new Connection(QUIC_1, 1300);
    const { hello } = connection;
    connection.up(connection.initial(cryptoFrame(hello, 0, 1000)));
    connection.down(connection.answer(ackFrame(0)));
    connection.up(connection.initial(cryptoFrame(hello, 1000), { to: SERVER, packetNumber: 1 }));
    expect(connection.names).toEqual({ [NAME]: 1 });
  });

  it.each([true, false])("goes on after a Retry, seen: %s", (isSeen) => {
    const connection = new Connection(QUIC_1, 1300);
    const { hello } = connection;
    const token = Buffer.alloc(80, 1);
    connection.up(connection.initial(cryptoFrame(hello, 0, 1000)));
    if (isSeen) connection.down(retryPacket(QUIC_1, CLIENT, SERVER, token));
    const fields = { to: SERVER, token };
    connection.up(connection.initial(cryptoFrame(hello, 0, 1000), fields, SERVER));
    connection.up(
      connection.initial(cryptoFrame(hello, 1000), { ...fields, packetNumber: 1 }, SERVER),
    );
    expect(connection.names).toEqual({ [NAME]: 1 });
    const answer = serverHelloMessage(seededRandom(4), Buffer.from(hex("002b00020304")));
    connection.down(connection.answer(cryptoFrame(answer), SERVER));
    expect(connection.decoding.value("nam_tls_server_hellos_total", { transport: "quic" })).toBe(1);
    expect(connection.packets("retry")).toBe(isSeen ? 1 : 0);
  });

  it("comes a second time where the server asks for it", () => {
    const connection = new Connection();
    const { hello } = connection;
    connection.up(connection.initial(cryptoFrame(hello)));
    const retry = serverHelloMessage(seededRandom(4), Buffer.from(hex("002b00020304")));
    retry.set(hex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"), 6);
    connection.down(connection.answer(cryptoFrame(retry)));
    const both = Buffer.concat([hello, hello]);
    connection.up(connection.initial(cryptoFrame(both, hello.length), { packetNumber: 1 }));
    expect(connection.names).toEqual({ [NAME]: 2 });
  });

  it("leaves its flow settled: only long headers are read on", () => {
    const connection = new Connection();
    connection.up(connection.initial(cryptoFrame(connection.hello)));
    expect(connection.isSettled).toBe(false);
    connection.up(bytes(0x41, new Uint8Array(40)));
    expect(connection.isSettled).toBe(true);
    const answer = serverHelloMessage(seededRandom(4), Buffer.from(hex("002b00020304")));
    connection.down(connection.answer(cryptoFrame(answer)));
    expect(connection.decoding.value("nam_tls_server_hellos_total")).toBe(1);
  });

  it("is not decrypted twice", () => {
    const connection = new Connection();
    const packet = connection.initial(cryptoFrame(connection.hello));
    connection.up(packet);
    connection.up(packet);
    expect(connection.names).toEqual({ [NAME]: 1 });
    expect([connection.initials("decrypted"), connection.initials("unneeded")]).toEqual([1, 1]);
  });
});

describe("a QUIC packet", () => {
  it("that its keys do not open is undecryptable, and says nothing", () => {
    const connection = new Connection();
    const packet = connection.initial(cryptoFrame(connection.hello));
    for (const at of [0, 20, 60, packet.length - 1]) {
      const damaged = Buffer.from(packet);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      connection.up(damaged);
    }
    expect(connection.initials("undecryptable")).toBe(4);
    expect(connection.names).toEqual({});
  });

  it("of a server whose client was not seen opens nothing, and does not turn the sides round", () => {
    const connection = new Connection();
    connection.down(connection.answer(ackFrame(0)));
    connection.up(connection.initial(cryptoFrame(connection.hello)));
    expect(connection.names).toEqual({ [NAME]: 1 });
  });

  it("is skipped where too many come in one second", () => {
    const connection = new Connection();
    const packet = connection.initial(PING);
    for (let i = 0; i < 4010; i++) connection.up(packet);
    expect([connection.initials("decrypted"), connection.initials("skipped")]).toEqual([4000, 10]);
  });

  it("of another version is counted by what can be told", () => {
    const connection = new Connection();
    connection.up(connection.initial(PING));
    connection.down(versionNegotiation(CLIENT, ORIGINAL, [QUIC_2]));
    connection.up(hex("c0 ff000010 02 0102 02 0304 00"));
    expect(connection.packets("version_negotiation")).toBe(1);
    expect(connection.packets("other")).toBe(1);
  });

  it("with a length past the datagram is malformed", () => {
    const connection = new Connection();
    expect(connection.up(hex("c0 00000001 02 0102 02 0304 00 4100 00"))).toBe(Stop.MALFORMED);
  });

  it("with frames that no Initial may carry is malformed", () => {
    const connection = new Connection();
    const stream = Buffer.concat([Buffer.from([8, 0]), Buffer.alloc(30)]);
    expect(connection.up(connection.initial(stream))).toBe(Stop.MALFORMED);
  });

  it("never throws, whatever its decrypted frames say", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (content) => {
        const connection = new Connection();
        const frames = Buffer.concat([Buffer.from(content), Buffer.alloc(20)]);
        expect([0, Stop.MALFORMED, Stop.UNSUPPORTED]).toContain(
          connection.up(connection.initial(frames)),
        );
      }),
    );
  });
});
