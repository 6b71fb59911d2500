// SPDX-License-Identifier: AGPL-3.0-or-later
// One frame or more for each protocol of all.ts: the conformance and fuzz suites run over them.
import {
  cryptoFrame,
  initialKeys,
  initialPacket,
  QUIC_1,
  QUIC_2,
} from "../../scripts/fixtures/quic.ts";
import { LinkType } from "../../src/capture/source.ts";
import {
  dhcpMessage,
  krbError,
  mysqlGreeting,
  rdpRequest,
  smb1Response,
  smb2Response,
  snmpMessage,
} from "./application-messages.ts";
import {
  type Bytes,
  bytes,
  clientHello,
  dnsMessage,
  ethernet,
  handshakeRecord,
  hex,
  ipv4,
  ipv6,
  MACS,
  serverName,
  tcp,
  tcpFrame,
  u16,
  u32,
  udp,
  udpFrame,
  vector16,
  vlanTag,
} from "./frames.ts";

export interface Sample {
  /** Protocol of all.ts that the frame is about. */
  readonly protocol: string;
  readonly content: Bytes;
  readonly linkType?: number;
  /** Application protocol that earlier packets of the flow have proved; otherwise it is new. */
  readonly verdict?: string;
}

const ipv4Udp = ipv4({ protocol: 17, payload: udp({ payload: bytes("data") }) });
const ipv6Udp = ipv6({ nextHeader: 17, payload: udp({ payload: bytes("data") }) });
const quoted = ipv4({ protocol: 17, payload: udp({ destinationPort: 33_434 }) });

export const hello = clientHello({
  extensions: [
    [0x2a2a, hex("")],
    [0, serverName("Example.com")],
    [10, vector16(0x1a1a, 29, 23)],
    [11, hex("0100")],
    [13, vector16(0x0403, 0x0804)],
    [16, bytes(u16(3), 2, "h2")],
    [43, hex("04 0304 0303")],
  ],
});

const dtlsHello = bytes(
  hex("01 00002a 0000 000000 00002a fefd"),
  new Uint8Array(32),
  hex("00 00 0002 c02b 01 00"),
);

/** A KEXINIT of ten lists with one name each. */
const sshKexinit = bytes(
  hex("0000006c 04 14"),
  new Uint8Array(16),
  ...Array.from("abcdefghij", (name) => bytes(u32(3), name.repeat(3))),
  hex("00 00000000"),
  new Uint8Array(11),
);

function dtlsRecord(content: Bytes): Bytes {
  return bytes(hex("16 fefd 0000 000000000000"), u16(content.length), content);
}

/** The first packet of a connection, short of what RFC 9000 §14.1 demands. */
function quicInitial(version: number): Bytes {
  const id = Buffer.from("8394c8f03e515708", "hex");
  const keys = initialKeys(version, id, "client");
  const frames = cryptoFrame(Buffer.from(hello));
  return initialPacket({ version, keys, to: id, from: Buffer.alloc(0), frames });
}

/** UDP to a port that names the protocol. */
function byUdpPort(protocol: string, port: number, payload = bytes("any payload")): Sample {
  return { protocol, content: udpFrame({ destinationPort: port, payload }) };
}

function byTcpPort(protocol: string, port: number, payload: Bytes, verdict?: string): Sample {
  const content = tcpFrame({ destinationPort: port, payload });
  return verdict === undefined ? { protocol, content } : { protocol, content, verdict };
}

/** TCP or UDP between ports that name nothing: only the payload can tell. */
function byTcpPayload(protocol: string, payload: Bytes): Sample {
  return { protocol, content: tcpFrame({ destinationPort: 40_000, payload }) };
}

function byUdpPayload(protocol: string, payload: Bytes): Sample {
  return { protocol, content: udpFrame({ destinationPort: 40_000, payload }) };
}

function transport(protocol: string, number: number, payload: Bytes): Sample {
  return { protocol, content: ethernet(0x0800, ipv4({ protocol: number, payload })) };
}

function u16le(value: number): Bytes {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

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

/** A whole Ethernet frame, as tunnels carry it. */
const innerFrame = ethernet(0x0800, ipv4Udp);
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

const applications: readonly Sample[] = [
  { protocol: "dns", content: udpFrame({ destinationPort: 53, payload: dnsMessage({}) }) },
  {
    protocol: "dns",
    content: udpFrame({ sourcePort: 53, payload: dnsMessage({ flags: 0x8183, type: 28 }) }),
  },
  byUdpPayload(
    "dns",
    dnsMessage({ additionals: 1, tail: bytes(0, u16(41), u16(4096), u32(0), u16(0)) }),
  ),
  byTcpPayload("dns", bytes(u16(33), dnsMessage({ type: 252 }))),
  {
    protocol: "dns",
    content: tcpFrame({
      ...{ sourcePort: 53, destinationPort: 40_000 },
      payload: bytes(
        u16(33),
        dnsMessage({ flags: 0x8180 }),
        u16(33),
        dnsMessage({ flags: 0x8180 }),
      ),
    }),
  },
  { protocol: "mdns", content: udpFrame({ destinationPort: 5353, payload: dnsMessage({}) }) },
  { protocol: "llmnr", content: udpFrame({ destinationPort: 5355, payload: dnsMessage({}) }) },
  {
    protocol: "nbns",
    content: udpFrame({
      destinationPort: 137,
      payload: dnsMessage({ labels: ["FHEPFCELEHFCEPFFFACACACACACACAAA"], type: 32 }),
    }),
  },
  byUdpPayload("dhcp", dhcpMessage(3)),
  byUdpPort("dhcp", 67, dhcpMessage(5)),
  byUdpPort("dhcpv6", 547, hex("01 0a0b0c 0008 0002 0000")),
  byUdpPort("ntp", 123, bytes(0x23, new Uint8Array(47))),
  byUdpPort("ntp", 123, hex("17 00 03 2a 00000000")),
  byUdpPayload("snmp", snmpMessage),
  byUdpPayload("syslog", bytes("<34>1 2026-01-05T09:00:00Z host app - - - text")),
  byUdpPayload("ssdp", bytes("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n")),
  byTcpPayload("tls", handshakeRecord(hello)),
  byUdpPayload("dtls", dtlsRecord(hex("0e 000000 0000 000000 000000"))),
  byUdpPayload("dtls", dtlsRecord(dtlsHello)),
  byUdpPayload("quic", quicInitial(QUIC_1)),
  byUdpPayload("quic", quicInitial(QUIC_2)),
  byTcpPayload("http", bytes("GET / HTTP/1.1\r\n\r\n")),
  byTcpPayload("http", bytes("HTTP/1.1 503 Busy\r\n\r\n")),
  byTcpPayload(
    "http2",
    bytes(
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      hex("000000 04 00 00000000"),
      hex("000011 01 05 00000001 828684418cf1e3c2e5f23a6ba0ab90f4ff"),
    ),
  ),
  byTcpPayload("ssh", bytes("SSH-2.0-OpenSSH_9.2\r\n")),
  byTcpPayload("ssh", bytes("SSH-2.0-Go\r\n", sshKexinit)),
  byTcpPort("websocket", 40_000, hex("81 02 6869"), "websocket"),
  byTcpPayload("telnet", hex("fffd18 fffd20 fffd23")),
  byTcpPort("telnet", 23, bytes("\r\nLogin incorrect\r\n")),
  byTcpPayload("ftp", bytes("220 files.example FTP server ready.\r\n")),
  byTcpPort("ftp", 21, bytes("530 Login incorrect.\r\n")),
  byUdpPayload("tftp", bytes(hex("0001"), "boot.img", 0, "octet", 0)),
  byTcpPayload("smtp", bytes("220 mail.example ESMTP ready\r\n")),
  byTcpPort("smtp", 587, bytes("535 5.7.8 Authentication credentials invalid\r\n")),
  byTcpPayload("imap", bytes("* OK IMAP4rev1 server ready\r\n")),
  byTcpPort("imap", 143, bytes("a1 LOGIN user secret\r\n")),
  byTcpPayload("pop3", bytes("+OK POP3 server ready\r\n")),
  byTcpPort("pop3", 110, bytes("PASS secret\r\n")),
  byTcpPayload("smb", smb2Response(0, 0, 0x0311)),
  byTcpPayload("smb", smb2Response(1, 0xc000006d, 0)),
  byTcpPayload("smb", smb1Response(0x73, 0xc000006d)),
  byTcpPayload("rdp", rdpRequest),
  byTcpPayload("ldap", hex("30 0c 02 01 01 61 07 0a 01 31 04 00 04 00")),
  byUdpPayload("kerberos", krbError(24)),
  byUdpPayload("radius", bytes(hex("03 07 0017"), new Uint8Array(16), hex("12 03 41"))),
  byTcpPayload("mysql", mysqlGreeting),
  byTcpPayload("postgresql", bytes(u32(25), u32(0x30000), "user", 0, "alice", 0, "db", 0, 0, 0, 0)),
  byTcpPort("modbus", 502, hex("0001 0000 0006 01 03 0000 0001")),
  byTcpPayload("mqtt", bytes(hex("10 0f 0004"), "MQTT", hex("04 02 003c 0003"), "abc")),
  byUdpPayload("sip", bytes("INVITE sip:a@example.com SIP/2.0\r\n")),
  byUdpPayload("stun", hex("0001 0000 2112a442 000102030405060708090a0b")),
  byUdpPayload("wireguard", bytes(hex("02000000"), new Uint8Array(88))),
  byTcpPayload("bittorrent", bytes(0x13, "BitTorrent protocol", new Uint8Array(48))),
];

export const samples: readonly Sample[] = [
  ...links,
  ...pointToPoint,
  ...wireless,
  ...tags,
  ...mirrored,
  ...tunnels,
  ...networks,
  ...transports,
  ...applications,
];
