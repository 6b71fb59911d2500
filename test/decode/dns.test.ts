// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { LayerIndex, Stop } from "../../src/decode/protocol.ts";
import { Decoding } from "./decoding.ts";
import { bytes, dnsMessage, hex, u16, u32, udpFrame } from "./frames.ts";

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
    const facts = packet.facts.dns;
    expect(facts).toMatchObject({ packet: packet.number, count: 1 });
    const message = facts?.messages[0];
    expect(message).toMatchObject({
      ...{ id: 0xbeef, isResponse: false, queryType: 16, bytes: 33, bufferSize: -1 },
    });
    expect(message?.name.text()).toBe("www.example.com");
    expect(message?.name.text(facts?.domainAt(message))).toBe("example.com");
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
    expect(packet.facts.dns?.messages[0]?.name.length).toBe(0);
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
    ["an answer that is not there", dnsMessage({ answers: 1 })],
    ["65,535 answers in one", dnsMessage({ answers: 65_535, tail: record({}) })],
    ["a record longer than the message", dnsMessage({ answers: 1, tail: record({ length: 9 }) })],
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

  it("leaves a truncated response alone that ends in the middle of a record", () => {
    const message = dnsMessage({ flags: 0x8380, answers: 2, tail: record({ length: 9 }) });
    const decoding = new Decoding();
    const packet = decoding.takeBytes(udpFrame({ sourcePort: 53, payload: message }));
    expect(packet.fault).toBe(0);
    expect(decoding.value("nam_dns_properties_total", { property: "truncated" })).toBe(1);
    expect(decoding.value("nam_dns_answers_total")).toBe(2);
  });

  it("reads EDNS wherever it stands among the additional records", () => {
    const opt = bytes(0, u16(41), u16(8192), hex("00008000"), u16(0));
    const decoding = new Decoding();
    const packet = decoding.takeBytes(
      query(dnsMessage({ additionals: 2, tail: bytes(opt, record({})) })),
    );
    expect(packet.facts.dns?.messages[0]).toMatchObject({ bufferSize: 8192, isDnssecOk: true });
    for (const property of ["edns", "dnssec_ok", "large_buffer"]) {
      expect(decoding.value("nam_dns_properties_total", { property })).toBe(1);
    }
  });

  it("counts other operations than a query", () => {
    const decoding = new Decoding();
    decoding.takeBytes(query(dnsMessage({ flags: 0x2800, type: 6 })));
    expect(decoding.value("nam_dns_properties_total", { property: "not_query" })).toBe(1);
  });
});

describe("dns on other ports", () => {
  const opt = bytes(0, u16(41), u16(1232), u32(0), u16(0));

  function applicationOf(payload: Uint8Array, destinationPort = 40_000): string {
    const decoding = new Decoding();
    decoding.takeBytes(udpFrame({ destinationPort, payload }));
    return decoding.names().application;
  }

  it.each([
    ["a query", dnsMessage({})],
    ["a query with EDNS", dnsMessage({ additionals: 1, tail: opt })],
    ["a response", dnsMessage({ flags: 0x8180, answers: 1, tail: record({}) })],
    ["a response without records", dnsMessage({ flags: 0x8183 })],
  ])("is proved by %s", (_name, payload) => {
    expect(applicationOf(payload)).toBe("dns");
  });

  it.each([
    ["bytes behind the message", dnsMessage({ tail: hex("00") })],
    ["two questions", dnsMessage({ questions: 2 })],
    ["an answer in a query", dnsMessage({ answers: 1, tail: record({}) })],
    ["the reserved bit", dnsMessage({ flags: 0x0140 })],
    ["an operation that is not a query", dnsMessage({ flags: 0x2800 })],
    ["a type that nobody uses", dnsMessage({ type: 4000 })],
    ["a label with control characters", dnsMessage({ labels: ["a\u0001"] })],
    ["nothing but zeros", new Uint8Array(40)],
  ])("is not proved by %s", (_name, payload) => {
    expect(applicationOf(payload)).toBe("other");
  });

  it("leaves protocols of the same form to their ports", () => {
    expect(applicationOf(dnsMessage({}), 5353)).toBe("mdns");
    expect(applicationOf(dnsMessage({}), 5355)).toBe("llmnr");
    expect(applicationOf(dnsMessage({}), 137)).toBe("nbns");
  });
});

describe("names of the local link", () => {
  it("decodes NetBIOS names", () => {
    const encoded = [..."FILESRV".padEnd(15), " "]
      .map((letter) => {
        const code = letter.charCodeAt(0);
        return String.fromCharCode(0x41 + (code >> 4), 0x41 + (code & 15));
      })
      .join("");
    const decoding = new Decoding();
    const payload = dnsMessage({ labels: [encoded], type: 32 });
    decoding.takeBytes(udpFrame({ destinationPort: 137, payload }));
    expect(decoding.tally("nbns.names")).toEqual({ "filesrv<20>": 1 });
    expect(decoding.value("nam_nbns_messages_total", { kind: "query" })).toBe(1);
  });

  it("shows a NetBIOS name in another encoding as it is", () => {
    const decoding = new Decoding();
    const payload = dnsMessage({ labels: ["z".repeat(32)], type: 32 });
    decoding.takeBytes(udpFrame({ destinationPort: 137, payload }));
    expect(decoding.tally("nbns.names")).toEqual({ ["z".repeat(32)]: 1 });
  });

  it("counts mDNS apart from DNS", () => {
    const decoding = new Decoding();
    const payload = dnsMessage({ flags: 0x8400, questions: 0, labels: ["printer", "local"] });
    decoding.takeBytes(udpFrame({ sourcePort: 5353, destinationPort: 5353, payload }));
    expect(decoding.value("nam_mdns_messages_total", { kind: "response" })).toBe(1);
    expect(decoding.value("nam_dns_messages_total")).toBe(0);
  });
});

/** A resource record with the name of the question; `length` is what it says of its data, of which there are four bytes. */
function record({ type = 1, length = 4 }): Uint8Array {
  return bytes(hex("c00c"), u16(type), u16(1), u32(60), u16(length), hex("c0000201"));
}
