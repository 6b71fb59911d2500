// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { LinkType } from "../../src/capture/source.ts";
import { Stop } from "../../src/decode/protocol.ts";
import { formatAddress } from "../../src/util/address.ts";
import { Decoding } from "./decoding.ts";
import {
  type Bytes,
  bytes,
  dnsMessage,
  ethernet,
  hex,
  ipv4,
  ipv6,
  tcp,
  u16,
  u32,
  udp,
  udpFrame,
} from "./frames.ts";

const query = udp({ sourcePort: 40_000, destinationPort: 53, payload: dnsMessage({}) });
const inner = ipv4({ protocol: 17, payload: query, source: "10.9.0.1", destination: "10.9.0.2" });
const inner6 = ipv6({ nextHeader: 6, payload: tcp({ destinationPort: 443 }) });
const frame = ethernet(0x0800, inner);

function overIp(protocol: number, ...parts: readonly Bytes[]): Bytes {
  return ethernet(0x0800, ipv4({ protocol, payload: bytes(...parts) }));
}

function overUdp(port: number, ...parts: readonly Bytes[]): Bytes {
  return udpFrame({ sourcePort: 50_000, destinationPort: port, payload: bytes(...parts) });
}

function tunnelled(decoding: Decoding, protocol: string): number {
  return decoding.value("nam_tunnel_packets_total", { protocol });
}

const vxlanHeader = hex("08000000 00007b00");

describe("a packet in a tunnel", () => {
  it.each<[string, string, Bytes]>([
    ["VXLAN", "vxlan", overUdp(4789, vxlanHeader, frame)],
    [
      "VXLAN-GPE with NSH",
      "vxlan_gpe",
      overUdp(4790, hex("0c000004 00007b00 0002 0203 00000102"), frame),
    ],
    [
      "GENEVE with options",
      "geneve",
      overUdp(6081, hex("0200 6558 00007b00 0102030405060708"), frame),
    ],
    ["GRE", "gre", overIp(47, hex("0000 0800"), inner)],
    [
      "GRE with checksum, key and sequence",
      "gre",
      overIp(47, hex("b000 0800 00000000 00000001 00000002"), inner),
    ],
    ["NVGRE", "gre", overIp(47, hex("2000 6558 00007b00"), frame)],
    ["GRE with MPLS", "gre", overIp(47, hex("0000 8847 00010140"), inner)],
    ["ERSPAN type I", "gre", overIp(47, hex("0000 88be"), frame)],
    ["ERSPAN type II", "gre", overIp(47, hex("1000 88be 00000001 1064000000000000"), frame)],
    [
      "PPTP",
      "gre",
      overIp(
        47,
        hex("3081 880b"),
        u16(inner.length + 4),
        hex("0001 00000001 00000002 ff03 0021"),
        inner,
      ),
    ],
    ["IP in IP", "ipv4_in_ip", overIp(4, inner)],
    ["EtherIP", "ether_ip", overIp(97, hex("3000"), frame)],
    ["GTP-U", "gtp_u", overUdp(2152, hex("30ff"), u16(inner.length), u32(7), inner)],
    [
      "GTP-U with an extension",
      "gtp_u",
      overUdp(
        2152,
        hex("34ff"),
        u16(inner.length + 8),
        u32(7),
        hex("0000 00 85 01 0000 00"),
        inner,
      ),
    ],
    [
      "L2TP",
      "l2tp",
      overUdp(1701, hex("4002"), u16(inner.length + 12), hex("0001 0001 ff03 0021"), inner),
    ],
  ])("is decoded and counted once: %s", (_name, tunnel, content) => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(content);
    expect(decoding.names()).toEqual({ network: "ipv4", transport: "udp", application: "dns" });
    expect(packet).toMatchObject({ fault: 0, sourcePort: 40_000, destinationPort: 53 });
    const { source0, source1, source2, source3 } = packet;
    expect(formatAddress(source0, source1, source2, source3)).toBe("10.9.0.1");
    expect(tunnelled(decoding, tunnel)).toBe(1);
    expect(decoding.value("nam_tunnel_bytes_total", { protocol: tunnel })).toBe(content.length);
    expect(decoding.sums().packets).toEqual([1, 1, 1]);
    expect(decoding.value("nam_dns_messages_total", { kind: "query" })).toBe(1);
  });

  it.each<[string, string, Bytes]>([
    ["6in4", "ipv6_in_ip", overIp(41, inner6)],
    ["Teredo", "teredo", overUdp(3544, inner6)],
    [
      "Teredo with authentication",
      "teredo",
      overUdp(3544, hex("0001 0000 0102030405060708 00"), inner6),
    ],
    ["Teredo with an origin", "teredo", overUdp(3544, hex("0000 efff cdcdcdcd"), inner6)],
    [
      "Teredo from the server",
      "teredo",
      udpFrame({ sourcePort: 3544, destinationPort: 50_000, payload: inner6 }),
    ],
    ["GTP-U", "gtp_u", overUdp(2152, hex("30ff"), u16(inner6.length), u32(7), inner6)],
  ])("may be IPv6: %s", (_name, tunnel, content) => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(content);
    expect(decoding.names()).toMatchObject({ network: "ipv6", transport: "tcp" });
    expect(packet).toMatchObject({ ipVersion: 6, destinationPort: 443, fault: 0 });
    expect(tunnelled(decoding, tunnel)).toBe(1);
  });

  it("may be ARP, and then has no addresses", () => {
    const arp = hex("0001 0800 06 04 0002 020000000001 c0a80001 020000000002 c0a80002");
    const decoding = new Decoding();
    const packet = decoding.takeBytes(overUdp(4789, vxlanHeader, ethernet(0x0806, arp)));
    expect(decoding.names()).toEqual({ network: "arp", transport: "none", application: "none" });
    expect(packet).toMatchObject({ ipVersion: 0, ipProtocol: -1, source3: 0, sourcePort: 0 });
    expect(packet.networkAt - packet.ethernetAt).toBe(14);
  });

  it("counts each tunnel of a nest, and itself once", () => {
    const nested = overIp(4, ipv4({ protocol: 47, payload: bytes(hex("0000 86dd"), inner6) }));
    const decoding = new Decoding();
    decoding.takeBytes(nested);
    expect(tunnelled(decoding, "ipv4_in_ip")).toBe(1);
    expect(tunnelled(decoding, "gre")).toBe(1);
    expect(decoding.names()).toMatchObject({ network: "ipv6", transport: "tcp" });
    expect(decoding.sums().packets).toEqual([1, 1, 1]);
  });

  it("gives up on more of them than anyone nests", () => {
    let content = inner;
    for (let depth = 0; depth < 40; depth++) content = ipv4({ protocol: 4, payload: content });
    const decoding = new Decoding();
    const packet = decoding.takeBytes(content, { linkType: LinkType.RAW });
    expect(packet.fault).toBe(Stop.MALFORMED);
    expect(tunnelled(decoding, "ipv4_in_ip")).toBeLessThan(10);
  });

  it("counts by the header that names it where that cannot be read", () => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(overIp(4, inner.subarray(0, 12)));
    expect(decoding.names()).toEqual({ network: "ipv4", transport: "none", application: "none" });
    expect(packet).toMatchObject({ fault: Stop.MALFORMED, ipVersion: 0, ipProtocol: -1 });
  });

  it("is what the capture left of it", () => {
    const content = overUdp(4789, vxlanHeader, frame);
    const decoding = new Decoding();
    const packet = decoding.takeBytes(content.subarray(0, 14 + 28 + 8 + 14 + 30), {
      wireLength: content.length,
    });
    expect(packet.fault).toBe(Stop.TRUNCATED);
    expect(decoding.names()).toMatchObject({ network: "ipv4", transport: "udp" });
  });
});

describe("what only looks like a tunnel", () => {
  it.each<[string, Bytes]>([
    ["VXLAN without the flag", overUdp(4789, hex("00000000 00007b00"), frame)],
    ["VXLAN without room for a frame", overUdp(4789, vxlanHeader, hex("0102"))],
    ["GENEVE of another version", overUdp(6081, hex("4000 6558 00007b00"), frame)],
    ["a GENEVE control message", overUdp(6081, hex("0080 6558 00007b00"), frame)],
    ["a GTP-U echo request", overUdp(2152, hex("3201 0004 00000000 0001 0000"))],
    ["GTP-U that is longer than its datagram", overUdp(2152, hex("30ff ffff 00000001"), inner)],
    ["Teredo without IPv6", overUdp(3544, new Uint8Array(60))],
    ["Teredo between two clients", overUdp(50_001, inner6)],
    ["an L2TP control message", overUdp(1701, hex("c802 000c 0001 0000 0000 0000"))],
  ])("stays UDP: %s", (_name, content) => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(content);
    expect(decoding.names()).toMatchObject({ network: "ipv4", transport: "udp" });
    expect(packet).toMatchObject({ fault: 0, sourcePort: 50_000 });
    expect(packet.payloadLength).toBeGreaterThan(0);
    expect(decoding.value("nam_tunnel_packets_total")).toBe(0);
  });

  it("stays GRE where nothing inside can be named", () => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(overIp(47, hex("0000 88b5"), inner));
    expect(decoding.names()).toMatchObject({ network: "ipv4", transport: "gre" });
    expect(packet).toMatchObject({ fault: Stop.UNSUPPORTED, ipVersion: 4 });
  });

  it("stays GRE where PPTP only acknowledges", () => {
    const decoding = new Decoding();
    decoding.takeBytes(overIp(47, hex("2081 880b 0000 0001 00000007")));
    expect(decoding.names()).toMatchObject({ network: "ipv4", transport: "gre" });
    expect(decoding.packet.fault).toBe(0);
  });
});

describe("ah", () => {
  const header = hex("1104 0000 00000001 00000001 000102030405060708090a0b");

  it("is counted as what it protects, and among the tunnels", () => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(overIp(51, header, query));
    expect(decoding.names()).toEqual({ network: "ipv4", transport: "udp", application: "dns" });
    expect(packet).toMatchObject({ ipProtocol: 17, destinationPort: 53, fault: 0 });
    expect(tunnelled(decoding, "ah")).toBe(1);
  });

  it("may protect a packet in a tunnel", () => {
    const decoding = new Decoding();
    decoding.takeBytes(
      overIp(51, hex("0404 0000 00000001 00000001 000102030405060708090a0b"), inner),
    );
    expect(tunnelled(decoding, "ipv4_in_ip")).toBe(1);
    expect(decoding.packet.destinationPort).toBe(53);
  });

  it("has a length that covers its own header", () => {
    expect(new Decoding().takeBytes(overIp(51, new Uint8Array(12))).fault).toBe(Stop.MALFORMED);
  });
});
