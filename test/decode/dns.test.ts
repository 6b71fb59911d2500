// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { DnsNameReader, NameFault, skipName } from "../../src/decode/dns-name.ts";
import { LayerIndex, Stop } from "../../src/decode/protocol.ts";
import { Decoding } from "./decoding.ts";
import { bytes, dnsMessage, hex, tcpFrame, udpFrame } from "./frames.ts";

function query(payload: Uint8Array) {
  return udpFrame({ destinationPort: 53, payload });
}

describe("dns", () => {
  it("counts a query by its type, and its name in lower case", () => {
    const decoding = new Decoding();
    decoding.takeBytes(query(dnsMessage({ type: 28 })));
    expect(decoding.value("nam_dns_messages_total", { kind: "query", qtype: "aaaa" })).toBe(1);
    expect(decoding.value("nam_dns_responses_total")).toBe(0);
    expect(decoding.tally("dns.names")).toEqual({ "www.example.com": 1 });
  });

  it("counts a response by its code, and not its name", () => {
    const decoding = new Decoding();
    decoding.takeBytes(udpFrame({ sourcePort: 53, payload: dnsMessage({ flags: 0x8183 }) }));
    expect(decoding.value("nam_dns_messages_total", { kind: "response", qtype: "a" })).toBe(1);
    expect(decoding.value("nam_dns_responses_total", { rcode: "nxdomain" })).toBe(1);
    expect(decoding.tally("dns.names")).toEqual({});
  });

  it("leaves facts for this packet", () => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(query(dnsMessage({ type: 16 })));
    expect(packet.facts.dns).toMatchObject({
      packet: packet.number,
      id: 0xbeef,
      isResponse: false,
      queryType: 16,
      nameAt: packet.payloadAt + 12,
    });
    expect(packet.facts.dns?.name(packet)).toBe("www.example.com");
  });

  it.each([
    [251, "other"],
    [65_535, "other"],
    [65, "https"],
  ])("counts type %i as %s", (type, qtype) => {
    const decoding = new Decoding();
    decoding.takeBytes(query(dnsMessage({ type })));
    expect(decoding.value("nam_dns_messages_total", { qtype })).toBe(1);
  });

  it("counts response codes beyond the list as other", () => {
    const decoding = new Decoding();
    decoding.takeBytes(udpFrame({ sourcePort: 53, payload: dnsMessage({ flags: 0x800b }) }));
    expect(decoding.value("nam_dns_responses_total", { rcode: "other" })).toBe(1);
  });

  it("takes a message without a question", () => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(query(dnsMessage({ questions: 0 })));
    expect(packet.fault).toBe(0);
    expect(packet.facts.dns?.name(packet)).toBeNull();
    expect(decoding.value("nam_dns_messages_total", { kind: "query", qtype: "none" })).toBe(1);
  });

  it.each([
    ["a label of 64 bytes", dnsMessage({ labels: ["a".repeat(64)] })],
    [
      "a name that ends in a pointer to itself",
      bytes(dnsMessage({}).subarray(0, 12), hex("c00c 0001 0001")),
    ],
    ["a question that is not there", dnsMessage({}).subarray(0, 20)],
    ["a header of 11 bytes", new Uint8Array(11)],
  ])("calls %s malformed", (_name, payload) => {
    const packet = new Decoding().takeBytes(query(payload));
    expect(packet).toMatchObject({ fault: Stop.MALFORMED, faultLayer: LayerIndex.APPLICATION });
  });

  it("calls a question that the capture cut truncated, and counts the message", () => {
    const whole = query(dnsMessage({}));
    const decoding = new Decoding();
    const packet = decoding.takeBytes(whole.subarray(0, whole.length - 8), {
      wireLength: whole.length,
    });
    expect(packet.fault).toBe(Stop.TRUNCATED);
    expect(decoding.value("nam_dns_messages_total", { kind: "query", qtype: "none" })).toBe(1);
  });

  it("leaves DNS over TCP to port 53 and does not read it", () => {
    const decoding = new Decoding();
    decoding.takeBytes(
      tcpFrame({ destinationPort: 53, payload: bytes(hex("0021"), dnsMessage({})) }),
    );
    expect(decoding.names().application).toBe("dns");
    expect(decoding.value("nam_dns_messages_total")).toBe(0);
  });
});

describe("names", () => {
  const reader = new DnsNameReader();

  /** Reads the name at `at` of a message in memory of exactly its size. */
  function read(message: Uint8Array, at = 0): string | null {
    const memory = Uint8Array.from(message);
    return reader.read(new DataView(memory.buffer), 0, at, memory.length);
  }

  it.each([
    ["the root", hex("00"), "."],
    ["upper case", bytes(3, "WwW", 1, "X", 0), "www.x"],
    ["dots and backslashes in labels", bytes(5, "a.b\\c", 0), "a\\.b\\\\c"],
    ["spaces, control and high bytes", bytes(4, hex("20 00 7f e9"), 0), "\\032\\000\\127\\233"],
  ])("writes %s", (_name, message, text) => {
    expect(read(message)).toBe(text);
  });

  it("follows pointers to earlier bytes", () => {
    const message = bytes(3, "com", 0, 7, "example", hex("c000"), 3, "www", hex("c005"));
    expect(read(message, 15)).toBe("www.example.com");
  });

  it.each([
    ["to itself", hex("c000"), 0],
    ["ahead", bytes(hex("c002"), 1, "a", 0), 0],
    ["to each other", hex("c002 c000"), 0],
    ["back to the label it came from", bytes(1, "a", hex("c000")), 0],
    ["around through labels", bytes(0, 1, "a", hex("c001")), 1],
    ["with its second byte missing", bytes(1, "a", 0xc0), 0],
    ["into bytes whose last is half a pointer", bytes(3, "abc", hex("c000"), 0xc0), 6],
  ])("refuses pointers %s", (_name, message, at) => {
    expect(read(message, at)).toBeNull();
  });

  it("refuses names over 255 bytes, and keeps nothing of them", () => {
    const label = bytes(63, "a".repeat(63));
    expect(read(bytes(label, label, label, label, label, 0))).toBeNull();
    expect(read(bytes(1, "b", 0))).toBe("b");
  });

  it("reads a name of 255 bytes that are all escaped", () => {
    const label = bytes(63, new Uint8Array(63));
    const name = read(bytes(label, label, label, 61, new Uint8Array(61), 0));
    expect(name).toHaveLength((63 * 3 + 61) * 4 + 3);
  });

  it("costs no more for chains of pointers than a name has bytes", () => {
    const chain = bytes(1, "a", 0, ...Array.from({ length: 4000 }, (_, i) => u16Pointer(i)));
    expect(read(chain, chain.length - 2)).toBeNull();
  });

  it("says how a name fails where only its end is wanted", () => {
    const skip = (message: Uint8Array) => {
      const memory = Uint8Array.from(message);
      return skipName(new DataView(memory.buffer), 0, memory.length);
    };
    expect(skip(bytes(1, "a", 0, "rest"))).toBe(3);
    expect(skip(bytes(1, "a", hex("c000"), "rest"))).toBe(4);
    expect(skip(hex("40"))).toBe(NameFault.MALFORMED);
    expect(skip(bytes(9, "short"))).toBe(NameFault.SHORT);
    expect(skip(hex("c0"))).toBe(NameFault.SHORT);
  });
});

/** The pointer at position `i` of the chain, to the one before it. */
function u16Pointer(i: number): Uint8Array {
  const target = i === 0 ? 0 : 3 + (i - 1) * 2;
  return Uint8Array.of(0xc0 | (target >>> 8), target & 0xff);
}
