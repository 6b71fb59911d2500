// SPDX-License-Identifier: AGPL-3.0-or-later
// What proves a protocol between ports that name nothing, what comes close and does not, and who may take a flow over.
import { describe, expect, it } from "vitest";
import { Login } from "../../src/decode/packet.ts";
import { krbError, mysqlGreeting, rdpRequest, snmpMessage, x224 } from "./application-messages.ts";
import { hello } from "./application-samples.ts";
import { Decoding } from "./decoding.ts";
import {
  type Bytes,
  bytes,
  frameOf,
  handshakeRecord,
  hex,
  tcpFrame,
  u32,
  udpFrame,
} from "./frames.ts";
import { Talk } from "./talk.ts";

const UNKNOWN_PORT = 40_000;

function over(transport: "tcp" | "udp", payload: Bytes): string {
  const decoding = new Decoding();
  const options = { destinationPort: UNKNOWN_PORT, payload };
  decoding.takeBytes(transport === "tcp" ? tcpFrame(options) : udpFrame(options));
  return decoding.names().application;
}

const radiusMessage = bytes(hex("01 07 0017"), new Uint8Array(16), hex("01 03 61"));
const wireguardData = bytes(hex("04000000 01020304 0500000000000000"), new Uint8Array(48));
const utpSyn = hex("4100 1234 00000001 00000000 00100000 0001 0000");
const tftpRead = bytes(hex("0001"), "a/b.cfg", 0, "OCTET", 0, "blksize", 0, "1428", 0);
const ldapBind = hex("30 0c 02 01 01 60 07 02 01 03 04 00 80 00");

describe("a payload between unknown ports", () => {
  it.each([
    ["smtp", "220 mail.example ESMTP Postfix\r\n"],
    ["smtp", "220-mail.example ESMTP Exim 4\r\n220 ready\r\n"],
    ["smtp", "EHLO client.example\r\n"],
    ["smtp", "helo client\r\n"],
    ["ftp", "220 ProFTPD Server (ftp.example)\r\n"],
    ["ftp", "220 (vsFTPd 3.0.3)\r\n"],
    ["ftp", "331 Please specify the password.\r\n"],
    ["imap", "* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n"],
    ["imap", "* PREAUTH ready\r\n"],
    ["pop3", "+OK Dovecot ready.\r\n"],
    ["pop3", "+OK POP3 server\r\n"],
    ["pop3", "+OK <1896.697170952@mail.example>\r\n"],
    ["syslog", "<165>1 2026-01-05T09:00:00Z host app - - -\n"],
    ["sip", "OPTIONS sip:b@example.com SIP/2.0\r\n"],
    ["ssh", "SSH-2.0-dropbear\r\n"],
  ])("proves %s over TCP: %s", (name, text) => {
    expect(over("tcp", bytes(text))).toBe(name);
  });

  it.each([
    ["telnet", hex("fffb01 fffb03 fffd1f")],
    ["rdp", rdpRequest],
    ["rdp", x224(0xd0, "", hex("03 00 0800 05000000"))],
    ["mysql", mysqlGreeting],
    ["postgresql", bytes(u32(8), u32(80_877_103))],
    ["kerberos", bytes(u32(krbError(25).length), krbError(25))],
    ["ldap", ldapBind],
  ])("proves %s over TCP, in binary", (name, payload) => {
    expect(over("tcp", payload)).toBe(name);
  });

  it.each([
    ["syslog", bytes("<13>Jan  5 09:00:00 host app: text")],
    ["ssdp", bytes("NOTIFY * HTTP/1.1\r\n")],
    ["ssdp", bytes("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n")],
    ["snmp", snmpMessage],
    ["radius", radiusMessage],
    ["tftp", tftpRead],
    ["kerberos", krbError(25)],
    ["ldap", ldapBind],
    ["wireguard", wireguardData],
    ["bittorrent", utpSyn],
    ["bittorrent", bytes("d1:eli203e", "12:a message", "e1:t2:aa1:y1:ee")],
  ])("proves %s over UDP", (name, payload) => {
    expect(over("udp", payload)).toBe(name);
  });

  it.each([
    ["a greeting that names nobody", bytes("220 ready\r\n")],
    ["a greeting without an end", bytes("220 mail ESMTP ")],
    ["a number in a text", bytes("2201 SMTP FTP\r\n")],
    ["Redis", bytes("+OK\r\n")],
    ["Redis, pipelined", bytes("+OK\r\n+PONG\r\n+OK\r\n")],
    ["a word in capitals", bytes("EHLOX SMTP\r\n")],
    ["a list", bytes("* OKAY\r\n")],
    ["XML", bytes("<12>text</12>")],
    ["a priority that is too high", bytes("<192>1 2026-01-05T09:00:00Z host")],
    ["RTSP", bytes("OPTIONS rtsp://example.com/ RTSP/1.0\r\n")],
    ["TELNET with an option nobody knows", hex("fffb01 fffbee")],
    ["X.224 of S7comm", x224(0xe0, "", hex("c1 02 0100 c2 02 0102"))],
    ["a MySQL greeting of another length", bytes(mysqlGreeting, 0)],
    ["a length and a number", bytes(u32(8), u32(80_877_104))],
    ["a length and zeros", bytes(u32(16), new Uint8Array(12))],
    ["Kerberos of version 4", bytes(u32(15), hex("6b 0d 30 0b a0 03 02 01 04 a1 04 02 02 0000"))],
    ["another sequence in BER", hex("30 0c 02 01 01 e0 07 02 01 03 04 00 80 00")],
    ["LDAP that is longer than its message", hex("30 0c 02 01 01 60 7f 02 01 03 04 00 80 00")],
  ])("proves nothing over TCP: %s", (_what, payload) => {
    expect(over("tcp", payload)).toBe("other");
  });

  it.each([
    ["SNMP of another length", bytes(snmpMessage, 0)],
    ["SNMP of version 5", bytes(snmpMessage.subarray(0, 4), 5, snmpMessage.subarray(5))],
    ["RADIUS with an attribute too long", bytes(radiusMessage.subarray(0, 21), 4, "a")],
    ["RADIUS of another length", bytes(radiusMessage, 0)],
    ["TFTP of a mode nobody knows", bytes(hex("0001"), "a", 0, "binary", 0)],
    ["TFTP without a name", bytes(hex("0001 00"), "octet", 0)],
    ["WireGuard data of a length that is not padded", bytes(wireguardData, 0)],
    ["uTP that has measured a delay", bytes(utpSyn.subarray(0, 8), u32(9), utpSyn.subarray(12))],
    ["uTP data", bytes(0x01, utpSyn.subarray(1))],
    ["a request of HTTP", bytes("GET / HTTP/1.1\r\n\r\n")],
  ])("proves nothing over UDP: %s", (_what, payload) => {
    expect(over("udp", payload)).toBe("other");
  });
});

describe("a flow that was proved", () => {
  it.each([
    ["smtp", "220 mail ESMTP\r\n", "STARTTLS\r\n", "220 go ahead\r\n"],
    ["imap", "* OK ready\r\n", "a STARTTLS\r\n", "a OK begin\r\n"],
    ["pop3", "+OK ready\r\n", "STLS\r\n", "+OK begin\r\n"],
    ["ftp", "220 FTP\r\n", "AUTH TLS\r\n", "234 proceed\r\n"],
    ["mysql", mysqlGreeting, hex("20 0000 01"), hex("00")],
    ["postgresql", "", bytes(u32(8), u32(80_877_103)), "S"],
    ["rdp", "", rdpRequest, x224(0xd0, "", hex("02 00 0800 01000000"))],
    ["ldap", "", ldapBind, hex("30 00")],
  ])("for %s gives way to TLS", (name, greeting, request, answer) => {
    const talk = new Talk();
    if (greeting.length > 0) talk.server(greeting);
    talk.client(request);
    talk.server(answer);
    expect(talk.verdict).toBe(name);
    talk.client(handshakeRecord(hello));
    expect(talk.verdict).toBe("tls");
    expect(talk.value("nam_tls_hellos_total")).toBe(1);
  });

  it("gives way to nothing else", () => {
    const talk = new Talk();
    talk.server("220 mail ESMTP\r\n");
    talk.client("SSH-2.0-x\r\n");
    talk.client("GET / HTTP/1.1\r\n\r\n");
    expect(talk.verdict).toBe("smtp");
    talk.client(handshakeRecord(hello));
    talk.client("GET / HTTP/1.1\r\n\r\n");
    expect(talk.verdict).toBe("tls");
  });

  it("says so, and a guess says that it is one", () => {
    const talk = new Talk(22);
    expect(talk.client("mid-way").guessed).toBe(true);
    expect(talk.application).toBe("ssh");
    expect(talk.server("SSH-2.0-x\r\n").guessed).toBe(false);
    expect(talk.client("encrypted").guessed).toBe(false);
  });

  it("is found where the capture met it mid-way", () => {
    const talk = new Talk();
    talk.server("the middle of a body\r\n\r\n");
    expect(talk.verdict).toBe("none");
    talk.client("GET / HTTP/1.1\r\n\r\n");
    expect(talk.verdict).toBe("http");
    expect(talk.value("nam_http_requests_total")).toBe(1);
  });
});

describe("a guess by port", () => {
  it("is given up once a payload tells otherwise", () => {
    const talk = new Talk(25);
    talk.client("?");
    expect(talk.application).toBe("smtp");
    talk.client("GET / HTTP/1.1\r\n\r\n");
    expect(talk.verdict).toBe("http");
  });

  it("is kept after a while, read on, and proved late", () => {
    const talk = new Talk(110);
    for (let count = 0; count < 20; count++) talk.client(`RETR ${count}\r\n`);
    expect(talk.verdict).toMatch(/^guess/);
    talk.client("PASS wrong\r\n");
    expect(talk.server("-ERR no\r\n")).toMatchObject({ guessed: true, login: Login.FAILED });
    talk.server("+OK POP3 ready\r\n");
    expect(talk.verdict).toBe("pop3");
  });

  it("does not make a datagram malformed that nothing proves", () => {
    const decoding = new Decoding();
    decoding.take(frameOf(udpFrame({ destinationPort: 161, payload: bytes("not SNMP") })));
    expect(decoding.packet.fault).toBe(0);
  });
});
