// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { LayerIndex, Stop } from "../../src/decode/protocol.ts";
import { formatAddress } from "../../src/util/address.ts";
import { Decoding } from "./decoding.ts";
import { bytes, ethernet, hex, ipv4, ipv6, u16, udp } from "./frames.ts";

const datagram = udp({ sourcePort: 1000, destinationPort: 2000, payload: bytes("payload") });

describe("arp", () => {
  const reply = hex("0001 0800 06 04 0002 020000000001 c0a80001 020000000002 c0a80002");

  it("counts operations, and shows where the addresses are", () => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(ethernet(0x0806, reply));
    expect(packet).toMatchObject({ networkAt: 14, fault: 0, ipVersion: 0 });
    expect(decoding.value("nam_arp_messages_total", { operation: "reply" })).toBe(1);
    expect(decoding.names()).toEqual({ network: "arp", transport: "none", application: "none" });
  });

  it("takes addresses that are missing for malformed", () => {
    const packet = new Decoding().takeBytes(ethernet(0x0806, reply.subarray(0, 27)));
    expect(packet).toMatchObject({ networkAt: -1, fault: Stop.MALFORMED });
  });

  it("counts RARP, whose addresses bind nothing", () => {
    const decoding = new Decoding();
    const rarp = bytes(hex("0001 0800 06 04 0003"), reply.subarray(8));
    expect(decoding.takeBytes(ethernet(0x8035, rarp)).networkAt).toBe(-1);
    expect(decoding.names().network).toBe("arp");
    expect(decoding.value("nam_arp_messages_total", { operation: "other" })).toBe(1);
  });
});

describe("ipv4", () => {
  it("reads addresses, protocol and time to live", () => {
    const packet = new Decoding().takeBytes(
      ethernet(0x0800, ipv4({ protocol: 17, payload: datagram, ttl: 63 })),
    );
    expect(packet).toMatchObject({ ipVersion: 4, ipProtocol: 17, ttl: 63, fragment: 0 });
    const { source0, source1, source2, source3 } = packet;
    expect(formatAddress(source0, source1, source2, source3)).toBe("192.168.0.10");
    const { destination0, destination1, destination2, destination3 } = packet;
    expect(formatAddress(destination0, destination1, destination2, destination3)).toBe(
      "198.51.100.7",
    );
  });

  it("skips options", () => {
    const content = ipv4({ protocol: 17, options: hex("44080d0000000000"), payload: datagram });
    const packet = new Decoding().takeBytes(ethernet(0x0800, content));
    expect(packet).toMatchObject({ transportAt: 14 + 28, destinationPort: 2000 });
  });

  it("leaves padding out", () => {
    const content = ethernet(0x0800, bytes(ipv4({ protocol: 17, payload: datagram }), "padding"));
    const packet = new Decoding().takeBytes(content);
    expect(packet).toMatchObject({ end: content.length - 7, payloadLength: 7, cut: false });
  });

  it("takes a total length of 0 for a segment that the network card will cut", () => {
    const content = ipv4({ protocol: 17, payload: datagram, totalLength: 0 });
    const packet = new Decoding().takeBytes(ethernet(0x0800, content));
    expect(packet).toMatchObject({ payloadLength: 7, fault: 0 });
  });

  it("reads on where the total length is more than the frame, and calls it malformed", () => {
    const content = ipv4({ protocol: 17, payload: datagram, totalLength: 1000 });
    const decoding = new Decoding();
    const packet = decoding.takeBytes(ethernet(0x0800, content));
    expect(packet).toMatchObject({ fault: Stop.MALFORMED, faultLayer: LayerIndex.NETWORK });
    expect(packet.destinationPort).toBe(2000);
    expect(decoding.names().transport).toBe("udp");
  });

  it("knows what the capture cut, and how much was sent", () => {
    const content = ethernet(0x0800, ipv4({ protocol: 17, payload: datagram }));
    const packet = new Decoding().takeBytes(content.subarray(0, content.length - 3), {
      wireLength: content.length,
    });
    expect(packet).toMatchObject({ cut: true, payloadLength: 7, fault: 0 });
    expect(packet.payloadEnd - packet.payloadAt).toBe(4);
  });

  it.each([
    ["version 5", "55000014"],
    ["a header of 16 bytes", "44000014"],
    ["a total length below the header's", "45000013"],
  ])("calls %s malformed", (_name, start) => {
    const header = bytes(hex(start), hex("00010000 40110000 c0a8000a c6336407"));
    const decoding = new Decoding();
    const packet = decoding.takeBytes(ethernet(0x0800, header));
    expect(packet).toMatchObject({ fault: Stop.MALFORMED, networkAt: -1, ipVersion: 0 });
    expect(decoding.names()).toEqual({ network: "ipv4", transport: "none", application: "none" });
  });

  it("reads the transport header of a first fragment that cannot be kept, and forgives what is yet to come", () => {
    const first = udp({ destinationPort: 53, length: 1400, payload: new Uint8Array(63) });
    const decoding = new Decoding();
    const packet = decoding.takeBytes(
      ethernet(0x0800, ipv4({ protocol: 17, fragment: 0x2000, payload: first })),
    );
    expect(packet).toMatchObject({ fragment: 1, destinationPort: 53, payloadLength: 63 });
    expect(decoding.names()).toMatchObject({ transport: "udp", application: "dns" });
  });

  it("counts later fragments by their IP protocol and reads no ports from them", () => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(
      ethernet(0x0800, ipv4({ protocol: 6, fragment: 0x00b9, payload: bytes("no header here") })),
    );
    expect(packet).toMatchObject({ fragment: 2, transportAt: -1, destinationPort: 0, fault: 0 });
    expect(decoding.names()).toEqual({ network: "ipv4", transport: "tcp", application: "none" });
  });

  it("counts an unknown protocol as other and unsupported", () => {
    const decoding = new Decoding();
    decoding.takeBytes(ethernet(0x0800, ipv4({ protocol: 253, payload: bytes("?") })));
    expect(decoding.names().transport).toBe("other");
    expect(
      decoding.value("nam_frame_errors_total", { layer: "transport", reason: "unsupported" }),
    ).toBe(1);
  });
});

describe("ipv6", () => {
  const hopByHop = (next: number) => bytes(next, hex("00 050200000000"));
  const fragmentHeader = (next: number, offset: number) =>
    bytes(next, 0, u16(offset), hex("00000007"));

  it("reads addresses and hop limit", () => {
    const packet = new Decoding().takeBytes(
      ethernet(0x86dd, ipv6({ nextHeader: 17, payload: datagram })),
    );
    expect(packet).toMatchObject({ ipVersion: 6, ipProtocol: 17, ttl: 64, destinationPort: 2000 });
    const { source0, source1, source2, source3 } = packet;
    expect(formatAddress(source0, source1, source2, source3)).toBe("2001:db8::1");
  });

  it("walks extension headers of any length", () => {
    const routing = bytes(60, hex("02 00 00 00000000 00000000 00000000 00000000 00000000"));
    const destination = bytes(17, hex("00 010400000000"));
    const payload = bytes(hopByHop(43), routing, destination, datagram);
    const packet = new Decoding().takeBytes(ethernet(0x86dd, ipv6({ nextHeader: 0, payload })));
    expect(packet).toMatchObject({ ipProtocol: 17, transportAt: 14 + 40 + 8 + 24 + 8, fault: 0 });
  });

  it("takes an atomic fragment for a whole datagram", () => {
    const payload = bytes(fragmentHeader(17, 0), datagram);
    const packet = new Decoding().takeBytes(ethernet(0x86dd, ipv6({ nextHeader: 44, payload })));
    expect(packet).toMatchObject({ fragment: 0, destinationPort: 2000 });
  });

  it("tells first and later fragments apart", () => {
    const decoding = new Decoding();
    const first = bytes(fragmentHeader(17, 1), datagram);
    expect(
      decoding.takeBytes(ethernet(0x86dd, ipv6({ nextHeader: 44, payload: first }))),
    ).toMatchObject({ fragment: 1, destinationPort: 2000 });
    const later = bytes(fragmentHeader(17, 8), datagram);
    expect(
      decoding.takeBytes(ethernet(0x86dd, ipv6({ nextHeader: 44, payload: later }))),
    ).toMatchObject({ fragment: 2, destinationPort: 0, fault: 0 });
    expect(decoding.names().transport).toBe("udp");
  });

  it("counts a packet without a next header under no transport", () => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(
      ethernet(0x86dd, ipv6({ nextHeader: 59, payload: bytes("ignored") })),
    );
    expect(packet.fault).toBe(0);
    expect(decoding.names()).toMatchObject({ network: "ipv6", transport: "none" });
  });

  it("takes a payload length of 0 for a jumbogram", () => {
    const payload = bytes(17, hex("00 c204 00010000"), datagram);
    const packet = new Decoding().takeBytes(
      ethernet(0x86dd, ipv6({ nextHeader: 0, payload, payloadLength: 0 })),
    );
    expect(packet).toMatchObject({ payloadLength: 7, fault: 0 });
  });

  it("gives up on chains longer than anyone sends", () => {
    const payload = bytes(...Array.from({ length: 20 }, () => hopByHop(0)));
    const packet = new Decoding().takeBytes(ethernet(0x86dd, ipv6({ nextHeader: 0, payload })));
    expect(packet).toMatchObject({ fault: Stop.MALFORMED, faultLayer: LayerIndex.NETWORK });
  });

  it("calls an extension header beyond the packet malformed, or truncated where the capture cut it", () => {
    const payload = bytes(17, hex("ff 00 00 00000000"), datagram);
    const content = ethernet(0x86dd, ipv6({ nextHeader: 60, payload }));
    expect(new Decoding().takeBytes(content).fault).toBe(Stop.MALFORMED);
    const long = ethernet(0x86dd, ipv6({ nextHeader: 60, payload, payloadLength: 2100 }));
    expect(new Decoding().takeBytes(long, { wireLength: 2154 }).fault).toBe(Stop.TRUNCATED);
  });
});
