// SPDX-License-Identifier: AGPL-3.0-or-later
import {
  cryptoFrame,
  initialKeys,
  initialPacket,
  QUIC_1,
  QUIC_2,
} from "../../scripts/fixtures/quic.ts";
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
  handshakeRecord,
  hex,
  serverName,
  tcpFrame,
  u16,
  u32,
  udpFrame,
  vector16,
} from "./frames.ts";
import { byTcpPayload, byTcpPort, byUdpPayload, byUdpPort, type Sample } from "./sample.ts";

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

export const applicationSamples: readonly Sample[] = [
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
