// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { familyOf } from "../../src/decode/client-hello-metrics.ts";
import { LayerIndex, Stop } from "../../src/decode/protocol.ts";
import { isGrease } from "../../src/decode/tls-vectors.ts";
import { hello } from "./application-samples.ts";
import { Decoding } from "./decoding.ts";
import {
  type Bytes,
  bytes,
  clientHello,
  type HelloOptions,
  handshakeRecord,
  hex,
  serverName,
  tcpFrame,
  u16,
  vector16,
} from "./frames.ts";

function helloFrame(options: HelloOptions): Bytes {
  return tcpFrame({ destinationPort: 40_000, payload: handshakeRecord(clientHello(options)) });
}

function factsOf(options: HelloOptions) {
  const packet = new Decoding().takeBytes(helloFrame(options));
  expect(packet.fault).toBe(0);
  const { hello: facts } = packet.facts;
  if (facts?.packet !== packet.number) throw new Error("no hello was read");
  return facts;
}

function ja4Of(options: HelloOptions): string {
  return factsOf(options).ja4;
}

const alpn = (...names: readonly Bytes[]): Bytes => {
  const list = bytes(...names.map((name) => bytes(name.length, name)));
  return bytes(u16(list.length), list);
};

describe("ClientHello", () => {
  it("gives name, version and fingerprints, GREASE left out", () => {
    const decoding = new Decoding();
    decoding.takeBytes(tcpFrame({ destinationPort: 40_000, payload: handshakeRecord(hello) }));
    const ja3 = createHash("md5").update("771,4865-4866,0-10-11-13-16-43,29-23,0").digest("hex");
    expect(decoding.packet.facts.hello).toMatchObject({
      transport: "tcp",
      version: "1.3",
      sni: "example.com",
      ja3,
    });
    expect(decoding.tally("tls.sni")).toEqual({ "example.com": 1 });
    expect(decoding.tally("tls.ja3")).toEqual({ [ja3]: 1 });
    const labels = { transport: "tcp", version: "1.3", sni: "yes", family: "other" };
    expect(decoding.value("nam_tls_hellos_total", labels)).toBe(1);
  });

  it("is known on any port, and decides the flow", () => {
    const decoding = new Decoding();
    decoding.takeBytes(tcpFrame({ destinationPort: 22, payload: handshakeRecord(hello) }));
    expect(decoding.names().application).toBe("tls");
  });

  it("is found behind a change of cipher spec", () => {
    const decoding = new Decoding();
    const payload = bytes(hex("140303000101"), handshakeRecord(hello));
    decoding.takeBytes(tcpFrame({ destinationPort: 443, payload }));
    expect(decoding.value("nam_tls_hellos_total")).toBe(1);
  });

  it("that the capture cut is truncated", () => {
    const whole = tcpFrame({ destinationPort: 443, payload: handshakeRecord(hello) });
    const packet = new Decoding().takeBytes(whole.subarray(0, whole.length - 10), {
      wireLength: whole.length,
    });
    expect(packet).toMatchObject({ fault: Stop.TRUNCATED, faultLayer: LayerIndex.APPLICATION });
  });

  it.each<[string, HelloOptions]>([
    ["a list of extensions with a lying length", { extensions: [[10, hex("0004 001d")]] }],
    ["a name with a lying length", { extensions: [[0, hex("0009 00 0009 616263")]] }],
    ["an ALPN name with a lying length", { extensions: [[16, hex("0003 09 6832")]] }],
    ["supported versions with a lying length", { extensions: [[43, hex("08 0304")]] }],
    ["point formats with a lying length", { extensions: [[11, hex("02 00")]] }],
  ])("with %s is malformed", (_name, options) => {
    const decoding = new Decoding();
    expect(decoding.takeBytes(helloFrame(options)).fault).toBe(Stop.MALFORMED);
    expect(decoding.value("nam_tls_hellos_total")).toBe(0);
  });

  it("is counted as skipped where too many come in one second, long ones sooner", () => {
    const noted = (frame: Bytes): number => {
      const decoding = new Decoding();
      for (let i = 0; i < 10_010; i++) decoding.takeBytes(frame);
      const skipped = decoding.value("nam_tls_hellos_skipped_total");
      expect(skipped + decoding.value("nam_tls_hellos_total")).toBe(10_010);
      return decoding.value("nam_tls_hellos_total");
    };
    expect(noted(helloFrame({}))).toBe(10_000);
    const ciphers = Array.from({ length: 250 }, (_, i) => i);
    expect(noted(helloFrame({ ciphers }))).toBe(3_333);
  });

  it("that lists more than any usual client is noted, and not fingerprinted", () => {
    const listing = (length: number) =>
      factsOf({
        ciphers: Array.from({ length }, (_, i) => i),
        extensions: [[0, serverName("a.b")]],
      });
    expect(listing(255).ja4).toMatch(/^t12d990100_/);
    expect(listing(256)).toMatchObject({ sni: "a.b", version: "1.2", ja3: "", ja4: "" });
  });

  it("gives the JA4 of unsorted long lists, with what comes twice", () => {
    const ciphers = Array.from({ length: 200 }, (_, i) => (i * 40_503 + 7) % 0xffff);
    ciphers.push(0x00ff, 0x00ff, 0xff00);
    const sorted = ciphers.map((one) => one.toString(16).padStart(4, "0")).sort();
    const hash = createHash("sha256").update(sorted.join(",")).digest("hex");
    const seen = ciphers.filter((one) => !isGrease(one));
    expect(seen).toEqual(ciphers);
    expect(factsOf({ ciphers }).ja4.split("_")[1]).toBe(hash.slice(0, 12));
  });

  it("with longer lists than any client sends is not read", () => {
    const ciphers = Array.from({ length: 513 }, (_, i) => i);
    expect(new Decoding().takeBytes(helloFrame({ ciphers })).fault).toBe(Stop.UNSUPPORTED);
  });

  it("shows no raw bytes of a hostile name", () => {
    const name = 'Evil"\n\u0000.EXAMPLE';
    expect(factsOf({ extensions: [[0, serverName(name)]] }).sni).toBe('evil"\\010\\000.example');
  });

  it("does not tell the public name of a provider as the server's, if it has ECH", () => {
    const names = [
      [0, serverName("Public.example")],
      [0xfe0d, hex("00")],
    ] as const;
    const decoding = new Decoding([], ["public.example"]);
    decoding.takeBytes(helloFrame({ extensions: names.slice(0, 1) }));
    expect(decoding.packet.facts.hello).toMatchObject({ sni: "public.example", ech: false });
    decoding.takeBytes(helloFrame({ extensions: names }));
    expect(decoding.packet.facts.hello).toMatchObject({ sni: "", ech: true });
    expect(new Decoding().takeBytes(helloFrame({ extensions: names })).facts.hello?.sni).toBe(
      "public.example",
    );
  });

  it("may offer a server name without a name in it", () => {
    expect(factsOf({ extensions: [[0, hex("")]] })).toMatchObject({ sni: "" });
    expect(ja4Of({ extensions: [[0, hex("")]] })).toMatch(/^t12d/);
  });
});

describe("JA4", () => {
  // The worked example of the specification; order and GREASE must not matter.
  const ciphers = [
    0x8a8a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
    0x009c, 0x009d, 0x002f, 0x0035,
  ];
  const algorithms = vector16(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601);
  const others = [0x1b, 0x23, 0x33, 0x4469, 0x12, 0x2d, 0x05, 0xff01, 0x17, 0x15];
  const extensions: HelloOptions["extensions"] = [
    [0xfafa, hex("")],
    ...others.map((type) => [type, hex("")] as const),
    [0, serverName("example.com")],
    [16, alpn(bytes("h2"), bytes("http/1.1"))],
    [43, hex("06 3a3a 0304 0303")],
    [13, algorithms],
    [10, vector16(0x1a1a, 29)],
    [11, hex("0100")],
  ];

  it("equals the specification's example", () => {
    expect(ja4Of({ ciphers, extensions })).toBe("t13d1516h2_8daaf6152771_e5627efa2ab1");
  });

  it("names the client family by its cipher part", () => {
    const decoding = new Decoding();
    decoding.takeBytes(helloFrame({ ciphers, extensions }));
    expect(decoding.value("nam_tls_hellos_total", { family: "chromium" })).toBe(1);
  });

  it.each([
    ["firefox", "1301 1303 1302 c02b c02f cca9 cca8 c02c c030 c00a c009 c013 c014 9c 9d 2f 35"],
    [
      "safari",
      "1301 1302 1303 c02c c02b cca9 c030 c02f cca8 c00a c009 c014 c013 9d 9c 35 2f c008 c012 0a",
    ],
    ["deno", "1302 1301 1303 c02c c02b cca9 c030 c02f cca8 ff"],
    ["other", "1302 1301 1303 c02c c02b cca9 c030 c02f cca8"],
  ])("knows %s by what it offers, in any order", (family, text) => {
    const list = text.split(" ").map((digits) => Number.parseInt(digits, 16));
    for (const ciphers of [list, list.toReversed()]) {
      const decoding = new Decoding();
      decoding.takeBytes(helloFrame({ ciphers, extensions }));
      expect(decoding.value("nam_tls_hellos_total", { family })).toBe(1);
      expect(decoding.packet.facts.hello?.family).toBe(family);
    }
  });

  it.each([
    ["python", "85036bcba153"],
    ["node", "a33745022dd6"],
    ["node", "b262b3658495"],
    ["curl", "e8f1e7e78f70"],
    ["go", "9dc949149365"],
    ["java", "db35923f8641"],
  ])("knows %s by %s", (family, part) => {
    expect(familyOf(part)).toBe(family);
  });

  it.each([
    [0x0303, "12"],
    [0x0302, "11"],
    [0x0301, "10"],
    [0x0300, "s3"],
    [0x0399, "00"],
  ])("writes version 0x%s as %s", (version, text) => {
    expect(ja4Of({ version })).toBe(`t${text}i020000_62ed6f6ca7ad_000000000000`);
  });

  it("writes twelve zeros for lists that are empty", () => {
    expect(ja4Of({ ciphers: [] })).toBe("t12i000000_000000000000_000000000000");
  });

  it("caps counts at 99", () => {
    const many = Array.from({ length: 120 }, (_, i) => i);
    expect(ja4Of({ ciphers: many })).toMatch(/^t12i9900/);
  });

  it("leaves out the underscore where there are no signature algorithms", () => {
    const expected = createHash("sha256").update("0017").digest("hex").slice(0, 12);
    expect(ja4Of({ extensions: [[0x17, hex("")]] })).toBe(`t12i020100_62ed6f6ca7ad_${expected}`);
  });

  it.each([
    ["two characters", bytes("h2"), "h2"],
    ["one character", bytes("x"), "xx"],
    ["a last byte that is none", bytes("h", 0xab), "6b"],
    ["a first byte that is none", bytes(0xab, "2"), "a2"],
    ["GREASE", hex("0a0a"), "0a"],
  ])("writes ALPN of %s", (_name, name, text) => {
    expect(ja4Of({ extensions: [[16, alpn(name)]] }).slice(8, 10)).toBe(text);
  });
});

describe("GREASE", () => {
  it("is the sixteen values of RFC 8701 and no others", () => {
    const values = Array.from({ length: 0x10000 }, (_, value) => value).filter(isGrease);
    expect(values).toEqual(Array.from({ length: 16 }, (_, i) => i * 0x1010 + 0x0a0a));
  });
});
