// SPDX-License-Identifier: AGPL-3.0-or-later
// One frame or more for each protocol of all.ts: the conformance and fuzz suites run over them.
import { applicationSamples } from "./application-samples.ts";
import {
  type Bytes,
  bytes,
  ethernet,
  hex,
  ipv4,
  ipv6,
  MACS,
  tcp,
  u16,
  u32,
  udp,
  udpFrame,
} from "./frames.ts";
import { linkSamples } from "./link-samples.ts";
import { innerFrame, ipv4Udp, ipv6Udp, type Sample, transport } from "./sample.ts";

const quoted = ipv4({ protocol: 17, payload: udp({ destinationPort: 33_434 }) });

function tunnelByPort(protocol: string, port: number, ...parts: readonly Bytes[]): Sample {
  return { protocol, content: udpFrame({ destinationPort: port, payload: bytes(...parts) }) };
}

const tunnels: readonly Sample[] = [
  transport("ipv4_in_ip", 4, ipv4Udp),
  transport("ipv6_in_ip", 41, ipv6Udp),
  { protocol: "ipv4_in_ip", content: ethernet(0x86dd, ipv6({ nextHeader: 4, payload: ipv4Udp })) },
  transport("ether_ip", 97, bytes(hex("3000"), innerFrame)),
  tunnelByPort("vxlan", 4789, hex("08000000 00007b00"), innerFrame),
  tunnelByPort("vxlan", 8472, hex("88000000 00007b00"), innerFrame),
  tunnelByPort("vxlan_gpe", 4790, hex("0c000001 00007b00"), ipv4Udp),
  tunnelByPort("geneve", 6081, hex("0100 6558 00007b00 01020300"), innerFrame),
  tunnelByPort("geneve", 6081, hex("0000 86dd 00007b00"), ipv6Udp),
  tunnelByPort("gtp_u", 2152, hex("30 ff"), u16(ipv4Udp.length), u32(1), ipv4Udp),
  tunnelByPort(
    "gtp_u",
    2152,
    hex("34 ff"),
    u16(8 + ipv6Udp.length),
    u32(1),
    hex("0000 00 85 01 0000 00"),
    ipv6Udp,
  ),
  tunnelByPort("teredo", 3544, ipv6Udp),
  tunnelByPort("teredo", 3544, hex("0001 0000 0102030405060708 00 0000 efff cdcdcdcd"), ipv6Udp),
  tunnelByPort("l2tp", 1701, hex("0002 0001 0001 ff03 0021"), ipv4Udp),
  tunnelByPort("l2tp", 1701, hex("4802 0020 0001 0001 0001 0002 0057"), ipv6Udp),
];

const networks: readonly Sample[] = [
  {
    protocol: "arp",
    content: ethernet(
      0x0806,
      hex("0001 0800 06 04 0002 020000000001 c0a80001 020000000002 c0a80002"),
    ),
  },
  { protocol: "ipv4", content: ethernet(0x0800, ipv4Udp) },
  {
    protocol: "ipv4",
    content: ethernet(0x0800, ipv4({ protocol: 17, options: hex("94040000"), payload: udp({}) })),
  },
  {
    protocol: "ipv4",
    content: ethernet(
      0x0800,
      ipv4({ protocol: 17, fragment: 0x00b9, payload: bytes("later part") }),
    ),
  },
  { protocol: "ipv6", content: ethernet(0x86dd, ipv6Udp) },
  {
    protocol: "ipv6",
    content: ethernet(
      0x86dd,
      ipv6({
        nextHeader: 0,
        payload: bytes(hex("3c00 050200000000 2c00 010400000000 1100 0001 00000007"), udp({})),
      }),
    ),
  },
  { protocol: "lldp", content: ethernet(0x88cc, hex("0207 04 020000000001 0000")) },
  { protocol: "stp", content: bytes(MACS, u16(7), hex("424203 0000 00 80")) },
];

const transports: readonly Sample[] = [
  transport("tcp", 6, tcp({ flags: 2, options: hex("020405b4") })),
  transport("udp", 17, udp({})),
  transport("icmp", 1, hex("0800 0000 0001 0001")),
  transport("icmp", 1, bytes(hex("0303 0000 00000000"), quoted)),
  {
    protocol: "icmpv6",
    content: ethernet(
      0x86dd,
      ipv6({ nextHeader: 58, payload: bytes(hex("0104 0000 00000000"), ipv6Udp) }),
    ),
  },
  {
    protocol: "icmpv6",
    content: ethernet(
      0x86dd,
      ipv6({
        nextHeader: 58,
        payload: hex(
          "8600 0000 40 08 0708 00000000 00000000 0101 020000000001" +
            "0304 40c0 00278d00 00093a80 00000000 20010db8000000000000000000000000",
        ),
      }),
    ),
  },
  transport("igmp", 2, hex("1600 0000 e00000fb")),
  transport("udp_lite", 136, bytes(u16(5000), u16(5004), u16(8), u16(0), "media")),
  transport("dccp", 33, bytes(u16(5000), u16(5004), hex("04 00 0000 01 000000 00000001"))),
  transport("sctp", 132, bytes(u16(5000), u16(80), u32(1), u32(0), hex("0100 0004"))),
  transport("gre", 47, hex("0000 0800")),
  transport("gre", 47, hex("2081 880b 0000 0001 00000007")),
  transport("esp", 50, hex("00000001 00000001")),
  transport("ah", 51, hex("3b04 0000 00000001 00000001 000000000000000000000000")),
];

export const samples: readonly Sample[] = [
  ...linkSamples,
  ...tunnels,
  ...networks,
  ...transports,
  ...applicationSamples,
];
