// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { TcpFlag } from "../../src/decode/packet.ts";
import { LayerIndex, Stop } from "../../src/decode/protocol.ts";
import { Decoding } from "./decoding.ts";
import {
  bytes,
  ethernet,
  hex,
  ipv4,
  ipv6,
  tcp,
  tcpFrame,
  u16,
  u32,
  udp,
  udpFrame,
} from "./frames.ts";

const { FIN, SYN, RST, PSH, ACK, URG } = TcpFlag;

describe("tcp", () => {
  it("reads the header, and keeps sequence numbers as signed integers", () => {
    const packet = new Decoding().takeBytes(
      tcpFrame({ sourcePort: 50_000, destinationPort: 9, payload: bytes("hello") }),
    );
    expect(packet).toMatchObject({
      sourcePort: 50_000,
      destinationPort: 9,
      tcpFlags: PSH | ACK,
      tcpSequence: 0xfedcba98 | 0,
      tcpAcknowledgment: 0x01020304,
      tcpWindow: 0x1234,
      payloadLength: 5,
    });
  });

  it("skips options", () => {
    const packet = new Decoding().takeBytes(
      tcpFrame({ options: hex("0101080a0000000100000002"), payload: bytes("hello") }),
    );
    expect(packet.payloadAt - packet.transportAt).toBe(32);
    expect(packet.payloadLength).toBe(5);
  });

  it.each([
    ["syn", SYN],
    ["syn_ack", SYN | ACK],
    ["fin", FIN | ACK],
    ["rst", RST],
    ["psh", PSH | ACK],
    ["ack", ACK],
    ["urg", URG | ACK],
    ["null", 0],
    ["xmas", FIN | PSH | URG],
  ])("counts segments with %s", (flag, flags) => {
    const decoding = new Decoding();
    decoding.takeBytes(tcpFrame({ flags }));
    expect(decoding.value("nam_tcp_segments_total", { flag })).toBe(1);
  });

  it("counts no flag that is not there", () => {
    const decoding = new Decoding();
    decoding.takeBytes(tcpFrame({ flags: SYN }));
    expect(decoding.value("nam_tcp_segments_total")).toBe(1);
    decoding.takeBytes(tcpFrame({ flags: FIN | PSH | URG }));
    expect(decoding.value("nam_tcp_segments_total")).toBe(1 + 4);
  });

  it("calls an offset below the header or beyond the segment malformed", () => {
    for (const dataOffset of [4, 15]) {
      const packet = new Decoding().takeBytes(tcpFrame({ dataOffset, payload: bytes("hello") }));
      expect(packet).toMatchObject({
        fault: Stop.MALFORMED,
        faultLayer: LayerIndex.TRANSPORT,
        transportAt: -1,
      });
    }
  });

  it("reads a header whose options the capture cut off, and no payload", () => {
    const content = tcpFrame({ options: new Uint8Array(12), payload: bytes("hello") });
    const decoding = new Decoding();
    const packet = decoding.takeBytes(content.subarray(0, 64), { wireLength: content.length });
    expect(packet).toMatchObject({
      ...{ fault: Stop.TRUNCATED, destinationPort: 9, tcpFlags: PSH | ACK, payloadLength: 5 },
    });
    expect(packet.payloadEnd).toBe(packet.payloadAt);
    expect(decoding.value("nam_tcp_segments_total", { flag: "ack" })).toBe(1);
  });

  it("calls options that are longer than what was sent malformed, cut or not", () => {
    const content = tcpFrame({ dataOffset: 15, payload: bytes("hello") });
    for (const kept of [content.length, content.length - 3]) {
      const packet = new Decoding().takeBytes(content.subarray(0, kept), {
        wireLength: content.length,
      });
      expect(packet).toMatchObject({ fault: Stop.MALFORMED, transportAt: -1 });
    }
  });

  it("calls a header that fragmentation cut truncated", () => {
    const packet = new Decoding().takeBytes(
      ethernet(0x0800, ipv4({ protocol: 6, fragment: 0x2000, payload: tcp({}).subarray(0, 9) })),
    );
    expect(packet.fault).toBe(Stop.TRUNCATED);
  });
});

describe("udp", () => {
  it("ends the payload where its own length says", () => {
    const packet = new Decoding().takeBytes(udpFrame({ length: 10, payload: bytes("hello") }));
    expect(packet).toMatchObject({ payloadLength: 2, fault: 0 });
    expect(packet.payloadEnd - packet.payloadAt).toBe(2);
  });

  it.each([7, 14])("calls a length of %i around 5 bytes malformed", (length) => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(
      udpFrame({ length, destinationPort: 53, payload: bytes("hello") }),
    );
    expect(packet).toMatchObject({ fault: Stop.MALFORMED, payloadLength: 0 });
    expect(decoding.names()).toMatchObject({ transport: "udp", application: "none" });
  });

  it("takes a length of 0 for the rest of the datagram", () => {
    const packet = new Decoding().takeBytes(udpFrame({ length: 0, payload: bytes("hello") }));
    expect(packet).toMatchObject({ payloadLength: 5, fault: 0 });
  });
});

describe("udp_lite", () => {
  const frame = (coverage: number) =>
    ethernet(
      0x0800,
      ipv4({ protocol: 136, payload: bytes(u16(5000), u16(5004), u16(coverage), u16(0), "media") }),
    );

  it.each([0, 8, 13])("reads ports and payload where the checksum covers %i bytes", (coverage) => {
    const packet = new Decoding().takeBytes(frame(coverage));
    expect(packet).toMatchObject({
      ...{ sourcePort: 5000, destinationPort: 5004, payloadLength: 5, fault: 0 },
    });
  });

  it.each([1, 7, 14])("calls a coverage of %i of 13 bytes malformed", (coverage) => {
    expect(new Decoding().takeBytes(frame(coverage)).fault).toBe(Stop.MALFORMED);
  });
});

describe("dccp", () => {
  /** A header whose data offset counts words; a type that ends with 1 has the long sequence number. */
  const frame = (words: number, type: number) =>
    ethernet(
      0x0800,
      ipv4({
        protocol: 33,
        payload: bytes(u16(5000), u16(5004), words, hex("00 0000"), type, hex("000000 00000001")),
      }),
    );

  it.each([
    [3, 0x00],
    [4, 0x01],
  ])("reads ports from a header of %i words and type %i", (words, type) => {
    const packet = new Decoding().takeBytes(bytes(frame(words, type), u32(0)));
    expect(packet).toMatchObject({ sourcePort: 5000, destinationPort: 5004 });
  });

  it.each([
    [2, 0x00],
    [3, 0x01],
    [200, 0x00],
  ])("calls an offset of %i words with type %i malformed", (words, type) => {
    expect(new Decoding().takeBytes(frame(words, type)).fault).toBe(Stop.MALFORMED);
  });
});

describe("icmp", () => {
  const quoted = ipv4({ protocol: 17, payload: udp({}) });
  const take = (content: Uint8Array) =>
    new Decoding().takeBytes(ethernet(0x0800, ipv4({ protocol: 1, payload: content })));

  it.each([3, 4, 5, 11, 12])("finds what an error of type %i quotes", (type) => {
    const packet = take(bytes(type, 1, hex("0000 00000000"), quoted));
    expect(packet).toMatchObject({ icmpType: type, icmpCode: 1, quotedAt: packet.transportAt + 8 });
  });

  it("finds no quote in an echo, in a cut error, or in other bytes", () => {
    expect(take(bytes(8, 0, hex("0000 00000000"), quoted)).quotedAt).toBe(-1);
    expect(take(bytes(3, 0, hex("0000 00000000"), quoted.subarray(0, 19))).quotedAt).toBe(-1);
    expect(take(bytes(3, 0, hex("0000 00000000"), new Uint8Array(28))).quotedAt).toBe(-1);
  });
});

describe("icmpv6", () => {
  const quoted = ipv6({ nextHeader: 17, payload: udp({}) });
  const take = (content: Uint8Array) =>
    new Decoding().takeBytes(ethernet(0x86dd, ipv6({ nextHeader: 58, payload: content })));

  it("finds what an error quotes", () => {
    const packet = take(bytes(1, 4, hex("0000 00000000"), quoted));
    expect(packet).toMatchObject({ icmpType: 1, icmpCode: 4, quotedAt: packet.transportAt + 8 });
  });

  it("finds no quote in an informational message", () => {
    expect(take(bytes(128, 0, hex("0000 00000000"), quoted)).quotedAt).toBe(-1);
  });
});

describe("sctp", () => {
  it("reads ports", () => {
    const payload = bytes(u16(5000), u16(80), u32(1), u32(0));
    const packet = new Decoding().takeBytes(ethernet(0x0800, ipv4({ protocol: 132, payload })));
    expect(packet).toMatchObject({ sourcePort: 5000, destinationPort: 80 });
  });
});

describe.each([
  ["igmp", 2, 8],
  ["gre", 47, 4],
  ["esp", 50, 8],
  ["sctp", 132, 12],
])("%s", (name, protocol, headerLength) => {
  it("is counted, whole or not", () => {
    for (const [length, fault] of [
      [headerLength, 0],
      [headerLength - 1, Stop.MALFORMED],
    ] as const) {
      const decoding = new Decoding();
      const packet = decoding.takeBytes(
        ethernet(0x0800, ipv4({ protocol, payload: new Uint8Array(length) })),
      );
      expect(packet.fault).toBe(fault);
      expect(decoding.names()).toEqual({ network: "ipv4", transport: name, application: "none" });
    }
  });
});
