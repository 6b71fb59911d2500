// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { applicationNames } from "../../src/decode/families.ts";
import { SETTLED_FLAG } from "../../src/decode/packet.ts";
import { GUESS_FLAG } from "../../src/decode/protocol.ts";
import { hello } from "./application-samples.ts";
import { Decoding } from "./decoding.ts";
import {
  type Bytes,
  bytes,
  frameOf,
  handshakeRecord,
  hex,
  tcpFrame,
  u16,
  udpFrame,
} from "./frames.ts";

const UNKNOWN_PORT = 40_000;

function overTcp(payload: Bytes, destinationPort = UNKNOWN_PORT): string {
  const decoding = new Decoding();
  decoding.takeBytes(tcpFrame({ destinationPort, payload }));
  return decoding.names().application;
}

function overUdp(payload: Bytes, destinationPort = UNKNOWN_PORT): string {
  const decoding = new Decoding();
  decoding.takeBytes(udpFrame({ destinationPort, payload }));
  return decoding.names().application;
}

describe("recognition", () => {
  it("believes the payload before the port", () => {
    expect(overTcp(bytes("SSH-2.0-x\r\n"), 443)).toBe("ssh");
    expect(overTcp(bytes("GET / HTTP/1.1\r\n"), 22)).toBe("http");
    expect(overTcp(handshakeRecord(hello), 25)).toBe("tls");
  });

  it("falls back on the port of either side, the lower one first", () => {
    const decoding = new Decoding();
    decoding.takeBytes(tcpFrame({ sourcePort: 443, payload: bytes("?") }));
    expect(decoding.names().application).toBe("tls");
    decoding.takeBytes(
      udpFrame({ sourcePort: 5353, destinationPort: 53, payload: new Uint8Array(12) }),
    );
    expect(decoding.names().application).toBe("dns");
    decoding.takeBytes(
      udpFrame({ sourcePort: 53, destinationPort: 5353, payload: new Uint8Array(12) }),
    );
    expect(decoding.names().application).toBe("dns");
  });

  it("counts what neither tells as other, and packets without payload as none", () => {
    expect(overTcp(bytes("?"))).toBe("other");
    expect(overUdp(bytes("?"))).toBe("other");
    expect(overTcp(hex(""), 443)).toBe("none");
    expect(overUdp(hex(""), 53)).toBe("none");
  });

  it("takes the port where the capture kept no payload", () => {
    const whole = tcpFrame({ destinationPort: 80, payload: bytes("GET / HTTP/1.1\r\n") });
    const decoding = new Decoding();
    decoding.takeBytes(whole.subarray(0, 54), { wireLength: whole.length });
    expect(decoding.names().application).toBe("http");
  });
});

describe("the verdict of a flow", () => {
  const verdictOf = (name: string): number => applicationNames.indexOf(name);

  it("is kept once a payload proved it, and believed for what follows", () => {
    const decoding = new Decoding();
    const first = frameOf(tcpFrame({ destinationPort: UNKNOWN_PORT, payload: bytes("SSH-2.0-x") }));
    const verdict = decoding.take(first);
    expect(verdict).toBe(verdictOf("ssh"));
    const later = frameOf(
      tcpFrame({ destinationPort: UNKNOWN_PORT, payload: bytes("GET / HTTP/1.1") }),
    );
    expect(decoding.take(later, verdict)).toBe(verdict);
    expect(decoding.names().application).toBe("ssh");
  });

  it("stays open after a guess by port, so that STARTTLS is seen", () => {
    const decoding = new Decoding();
    const greeting = frameOf(tcpFrame({ sourcePort: 25, payload: bytes("220 ready\r\n") }));
    expect(decoding.take(greeting)).toBe(0);
    expect(decoding.names().application).toBe("smtp");
    const upgraded = frameOf(tcpFrame({ destinationPort: 25, payload: handshakeRecord(hello) }));
    expect(decoding.take(upgraded)).toBe(verdictOf("tls"));
    expect(decoding.value("nam_tls_hellos_total")).toBe(1);
  });

  it("keeps the guess by port once a flow's first packets have proved nothing", () => {
    const decoding = new Decoding();
    const { decoder } = decoding;
    const guess = (flowPackets: number): number => {
      decoder.headers(frameOf(tcpFrame({ destinationPort: 25, payload: bytes("?") })));
      decoder.packet.flowPackets = flowPackets;
      return decoder.application(0);
    };
    expect(guess(12)).toBe(0);
    expect(guess(13)).toBe(verdictOf("smtp") | GUESS_FLAG);
    expect(decoding.names().application).toBe("smtp");
    expect(decoding.packet.guessed).toBe(true);
  });

  it("waits for fewer packets where the flow was met in the middle", () => {
    const decoding = new Decoding();
    const { decoder, packet } = decoding;
    const guess = (flowPackets: number): number => {
      decoder.headers(frameOf(tcpFrame({ destinationPort: 25, payload: bytes("?") })));
      Object.assign(packet, { flowPackets, flowMidway: true });
      return decoder.application(0);
    };
    expect(guess(4)).toBe(0);
    expect(guess(5)).toBe(verdictOf("smtp") | GUESS_FLAG);
  });

  it("drops a guess that cannot be read as what the port says", () => {
    const decoding = new Decoding();
    const { decoder, packet } = decoding;
    const guess = (payload: Bytes, flowPackets: number): number => {
      decoder.headers(frameOf(udpFrame({ destinationPort: 53, payload })));
      packet.flowPackets = flowPackets;
      return decoder.application(0);
    };
    const noise = bytes(new Uint8Array(120).fill(0x41));
    expect(guess(noise, 4)).toBe(0);
    expect(decoding.names().application).toBe("dns");
    expect(guess(noise, 5)).toBe(verdictOf("other") | GUESS_FLAG);
  });

  it("reads a settled flow again where a payload may begin a message", () => {
    const decoding = new Decoding();
    const { decoder, packet } = decoding;
    const read = (payload: Bytes, verdict: number): number => {
      decoder.headers(frameOf(tcpFrame({ destinationPort: 80, payload })));
      packet.flowPackets = 100;
      return decoder.application(verdict);
    };
    const settled = read(bytes("part of a download"), 0);
    expect(settled).toBe(verdictOf("http") | GUESS_FLAG | SETTLED_FLAG);
    expect(read(bytes("more of it"), settled)).toBe(settled);
    expect(applicationNames[packet.application]).toBe("http");
    expect(read(bytes("Got no start line"), settled)).toBe(settled);
    expect(packet.guessed).toBe(true);
    expect(read(bytes("GET / HTTP/1.1\r\n"), settled)).toBe(verdictOf("http"));
    expect(packet.guessed).toBe(false);
    expect(decoding.value("nam_http_requests_total")).toBe(1);
    expect(read(handshakeRecord(hello), settled)).toBe(settled);
  });

  it("is open again behind a CONNECT, for TLS through a proxy", () => {
    const decoding = new Decoding();
    const ports = { destinationPort: UNKNOWN_PORT };
    const connect = bytes("CONNECT example.com:443 HTTP/1.1\r\n");
    expect(decoding.take(frameOf(tcpFrame({ ...ports, payload: connect })))).toBe(0);
    expect(decoding.names().application).toBe("http");
    const tls = decoding.take(frameOf(tcpFrame({ ...ports, payload: handshakeRecord(hello) })));
    expect(tls).toBe(verdictOf("tls"));
    expect(decoding.value("nam_tls_hellos_total")).toBe(1);
  });

  it("passes packets without payload by", () => {
    const decoding = new Decoding();
    const acknowledgment = frameOf(tcpFrame({ destinationPort: 443 }));
    expect(decoding.take(acknowledgment, verdictOf("tls"))).toBe(verdictOf("tls"));
    expect(decoding.names().application).toBe("none");
  });
});

describe("http", () => {
  it.each(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"])(
    "counts requests of method %s",
    (method) => {
      const decoding = new Decoding();
      decoding.takeBytes(tcpFrame({ payload: bytes(`${method} /index.html HTTP/1.1\r\n`) }));
      expect(decoding.value("nam_http_requests_total", { method: method.toLowerCase() })).toBe(1);
      expect(decoding.value("nam_http_requests_total")).toBe(1);
    },
  );

  it.each([1, 2, 3, 4, 5])("counts responses of class %i", (hundreds) => {
    const decoding = new Decoding();
    decoding.takeBytes(tcpFrame({ payload: bytes(`HTTP/1.0 ${hundreds}04 Reason\r\n`) }));
    expect(decoding.value("nam_http_responses_total", { class: `${hundreds}xx` })).toBe(1);
  });

  it.each([
    "GETTING started",
    "POSTMAN says",
    "DELETED files",
    "HTTP/2 is not it",
    "HTTP/1.1 900 No",
    "GET /",
  ])("does not take %s for a start line", (text) => {
    expect(overTcp(bytes(text))).toBe("other");
  });
});

describe("payloads that prove a protocol", () => {
  it.each([
    ["quic", "v1", bytes(hex("c0 00000001 08"), new Uint8Array(20))],
    ["quic", "v2", bytes(hex("d0 6b3343cf 08"), new Uint8Array(20))],
    ["quic", "draft 29", bytes(hex("ff ff00001d 08"), new Uint8Array(20))],
    ["dtls", "1.0", bytes(hex("16 feff 0000 000000000000 0001 01"))],
    ["stun", "binding response", bytes(hex("0101 0000 2112a442"), new Uint8Array(12))],
    ["wireguard", "initiation", bytes(hex("01000000"), new Uint8Array(144))],
    ["wireguard", "cookie", bytes(hex("03000000"), new Uint8Array(60))],
    ["bittorrent", "DHT query", bytes("d1:ad2:id20:", new Uint8Array(40))],
    ["bittorrent", "DHT response", bytes("d1:rd2:id20:", new Uint8Array(40))],
    ["sip", "response", bytes("SIP/2.0 200 OK\r\n")],
    ["sip", "registration", bytes("REGISTER sip:example.com SIP/2.0\r\n")],
  ])("over UDP: %s, %s", (name, _what, payload) => {
    expect(overUdp(payload)).toBe(name);
  });

  it.each([
    ["smb", "version 1", bytes(hex("00000020"), 0xff, "SMB", new Uint8Array(32))],
    ["smb", "encrypted", bytes(hex("00000020"), 0xfd, "SMB", new Uint8Array(32))],
    ["mqtt", "3.1", bytes(hex("10 80 01 0006"), "MQIsdp", hex("03"))],
    ["stun", "binding request", bytes(hex("0001 0000 2112a442"), new Uint8Array(12))],
    ["sip", "invitation", bytes("INVITE sip:a@example.com SIP/2.0\r\n")],
    ["tls", "ServerHello", handshakeRecord(bytes(hex("02 000026 0303"), new Uint8Array(36)))],
  ])("over TCP: %s, %s", (name, _what, payload) => {
    expect(overTcp(payload)).toBe(name);
  });

  it.each([
    ["QUIC of an unknown version", bytes(hex("c0 51303433 08"), new Uint8Array(20))],
    [
      "QUIC with a connection id that is too long",
      bytes(hex("c0 00000001 15"), new Uint8Array(30)),
    ],
    ["DTLS with a lying length", bytes(hex("16 fefd 0000 000000000000 0002 01"))],
    ["STUN without its cookie", bytes(hex("0101 0000 2112a443"), new Uint8Array(12))],
    ["WireGuard of another length", bytes(hex("01000000"), new Uint8Array(143))],
  ])("and one that does not: %s", (_name, payload) => {
    expect(overUdp(payload)).toBe("other");
  });

  it.each([
    ["TLS of version 4", bytes(hex("160401"), u16(hello.length), hello)],
    ["a TLS record over the limit", bytes(hex("160301 ffff"), hello)],
    [
      "TLS that begins with a Finished",
      handshakeRecord(bytes(hex("14 00000c 0303"), new Uint8Array(12))),
    ],
  ])("nor over TCP: %s", (_name, payload) => {
    expect(overTcp(payload)).toBe("other");
  });
});
