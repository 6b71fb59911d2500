// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../../src/capture/source.ts";
import { type Bytes, bytes, ethernet, hex, MACS, u16, vlanTag } from "./frames.ts";
import { innerFrame, ipv4Udp, ipv6Udp, type Sample, transport, u16le } from "./sample.ts";

const links: readonly Sample[] = [
  { protocol: "ethernet", content: ethernet(0x0800, ipv4Udp) },
  {
    protocol: "llc",
    content: bytes(MACS, u16(8 + ipv4Udp.length), hex("aaaa03 000000 0800"), ipv4Udp),
  },
  { protocol: "vlan", content: ethernet(0x8100, vlanTag(0x2064, 0x0800, ipv4Udp)) },
  {
    protocol: "vlan",
    content: ethernet(0x88a8, vlanTag(0x0fa0, 0x8100, vlanTag(7, 0x86dd, ipv6Udp))),
  },
  {
    protocol: "linux_sll",
    linkType: LinkType.LINUX_SLL,
    content: bytes(hex("0004 0001 0006 0200000000010000 0800"), ipv4Udp),
  },
  {
    protocol: "linux_sll2",
    linkType: LinkType.LINUX_SLL2,
    content: bytes(hex("86dd 0000 00000002 0001 00 06 0200000000010000"), ipv6Udp),
  },
  { protocol: "raw_ip", linkType: LinkType.RAW, content: ipv4Udp },
  { protocol: "raw_ip", linkType: LinkType.IPV6, content: ipv6Udp },
  { protocol: "null_loopback", linkType: LinkType.NULL, content: bytes(hex("02000000"), ipv4Udp) },
  { protocol: "null_loopback", linkType: LinkType.LOOP, content: bytes(hex("00000018"), ipv6Udp) },
];

const wlanData = hex("0801 0000 020000000001 020000000002 020000000003 1000");
const wlanQosHtc = hex("8881 0000 020000000001 020000000002 020000000003 1000 0000 00000000");
const llcIpv4 = hex("aaaa03 000000 0800");

function link(protocol: string, linkType: number, ...parts: readonly Bytes[]): Sample {
  return { protocol, linkType, content: bytes(...parts) };
}

const pointToPoint: readonly Sample[] = [
  link("ppp", LinkType.PPP, hex("ff03 0021"), ipv4Udp),
  link("ppp", LinkType.PPP, hex("57"), ipv6Udp),
  link("ppp", LinkType.PPP_HDLC, hex("ff03 c021 0101 0004")),
  link("ppp_with_direction", LinkType.PPP_WITH_DIR, hex("01 ff03 0021"), ipv4Udp),
  { protocol: "pppoe", content: ethernet(0x8863, hex("1109 0000 0004 01010000")) },
  {
    protocol: "pppoe",
    content: ethernet(
      0x8864,
      bytes(hex("1100 0001"), u16(ipv4Udp.length + 2), hex("0021"), ipv4Udp),
    ),
  },
  link(
    "pppoe",
    LinkType.PPP_ETHER,
    hex("1100 0001"),
    u16(ipv6Udp.length + 2),
    hex("0057"),
    ipv6Udp,
  ),
  link("cisco_hdlc", LinkType.C_HDLC, hex("0f00 0800"), ipv4Udp),
  link("cisco_hdlc", LinkType.PPP_HDLC, hex("8f00 8035 00000002")),
  link("frame_relay", LinkType.FRELAY, hex("1861 0800"), ipv4Udp),
  link("frame_relay", LinkType.FRELAY, hex("1861 03 8e"), ipv6Udp),
  link("frame_relay", LinkType.FRELAY, hex("1861 03 00 80 000000 0800"), ipv4Udp),
  { protocol: "mpls", content: ethernet(0x8847, bytes(hex("00064040 00012140"), ipv4Udp)) },
  {
    protocol: "mpls",
    content: ethernet(0x8848, bytes(hex("00010140 00000000"), innerFrame)),
  },
];

const wireless: readonly Sample[] = [
  link("ieee80211", LinkType.IEEE802_11, wlanData, llcIpv4, ipv4Udp),
  link("ieee80211", LinkType.IEEE802_11, hex("8000 0000 ffffffffffff 020000000002")),
  link(
    "radiotap",
    LinkType.IEEE802_11_RADIOTAP,
    hex("00 00 0800 00000000"),
    wlanData,
    llcIpv4,
    ipv4Udp,
  ),
  link(
    "radiotap",
    LinkType.IEEE802_11_RADIOTAP,
    hex("00 00 1100 03000000 0102030405060708 30"),
    wlanQosHtc,
    hex("0000"),
    llcIpv4,
    ipv4Udp,
    hex("deadbeef"),
  ),
  link(
    "prism",
    LinkType.IEEE802_11_PRISM,
    hex("44000000 0c000000 00000000"),
    wlanData,
    llcIpv4,
    ipv4Udp,
  ),
  link(
    "prism",
    LinkType.IEEE802_11_AVS,
    hex("80211001 0000000c 00000000"),
    wlanData,
    llcIpv4,
    ipv4Udp,
  ),
];

const tags: readonly Sample[] = [
  { protocol: "etag", content: ethernet(0x893f, bytes(hex("1000 00d3 0000 0800"), ipv4Udp)) },
  { protocol: "vntag", content: ethernet(0x8926, bytes(hex("0000 0000 86dd"), ipv6Udp)) },
  { protocol: "nsh", content: ethernet(0x894f, bytes(hex("0002 0201 00000102"), ipv4Udp)) },
  link(
    "nflog",
    LinkType.NFLOG,
    hex("0200 002a 0800 0100 00000300"),
    u16le(ipv4Udp.length + 4),
    hex("0900"),
    ipv4Udp,
  ),
  link("nflog", LinkType.NFLOG, hex("0a00 002a"), u16(ipv6Udp.length + 4), hex("0009"), ipv6Udp),
];

/** ERSPAN is a link layer that only GRE carries. */
const mirrored: readonly Sample[] = [
  transport("erspan", 47, bytes(hex("1000 88be 00000001 10640000 00000000"), innerFrame)),
  transport(
    "erspan",
    47,
    bytes(hex("1000 22eb 00000001 20640000 00000000 00000001"), new Uint8Array(8), innerFrame),
  ),
];

export const linkSamples: readonly Sample[] = [
  ...links,
  ...pointToPoint,
  ...wireless,
  ...tags,
  ...mirrored,
];
