// SPDX-License-Identifier: AGPL-3.0-or-later
// Frames made by hand, header by header. Checksums are left 0: no decoder looks at them.
import { Direction, emptyFrame, type Frame, LinkType } from "../../src/capture/source.ts";

export type Bytes = Uint8Array;

/** Joins byte strings, numbers (one byte each) and texts (Latin-1). */
export function bytes(...parts: readonly (Bytes | number | string)[]): Bytes {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === "number") return Buffer.from([part]);
      return typeof part === "string" ? Buffer.from(part, "latin1") : part;
    }),
  );
}

/** Bytes from hexadecimal digits; spaces are for the reader. */
export function hex(digits: string): Bytes {
  return Buffer.from(digits.replace(/\s/g, ""), "hex");
}

export function u16(value: number): Bytes {
  return hex((value & 0xffff).toString(16).padStart(4, "0"));
}

export function u32(value: number): Bytes {
  return hex((value >>> 0).toString(16).padStart(8, "0"));
}

/** A frame in memory of exactly its size: any read outside it throws. */
export function frameOf(content: Bytes, changes: Partial<Frame> = {}): Frame {
  const memory = Uint8Array.from(content);
  return {
    ...emptyFrame(),
    view: new DataView(memory.buffer),
    end: memory.length,
    wireLength: memory.length,
    seconds: 1_700_000_000,
    nanoseconds: 5,
    direction: Direction.UNKNOWN,
    linkType: LinkType.ETHERNET,
    ...changes,
  };
}

export const MACS = hex("020000000002 020000000001");

export function ethernet(type: number, payload: Bytes): Bytes {
  return bytes(MACS, u16(type), payload);
}

export function vlanTag(tci: number, type: number, payload: Bytes): Bytes {
  return bytes(u16(tci), u16(type), payload);
}

export interface Ipv4Options {
  readonly protocol: number;
  readonly payload: Bytes;
  readonly source?: string;
  readonly destination?: string;
  readonly options?: Bytes;
  /** Flags and fragment offset. */
  readonly fragment?: number;
  readonly totalLength?: number;
  readonly ttl?: number;
}

export function ipv4(packet: Ipv4Options): Bytes {
  const { protocol, payload, options = hex(""), fragment = 0, ttl = 64 } = packet;
  const headerLength = 20 + options.length;
  return bytes(
    0x40 | (headerLength / 4),
    0,
    u16(packet.totalLength ?? headerLength + payload.length),
    u16(1),
    u16(fragment),
    ttl,
    protocol,
    u16(0),
    v4Address(packet.source ?? "192.168.0.10"),
    v4Address(packet.destination ?? "198.51.100.7"),
    options,
    payload,
  );
}

export interface Ipv6Options {
  readonly nextHeader: number;
  readonly payload: Bytes;
  readonly source?: Bytes;
  readonly destination?: Bytes;
  readonly payloadLength?: number;
}

export const V6_SOURCE = hex("20010db8000000000000000000000001");
export const V6_DESTINATION = hex("20010db8000000000000000000000002");

export function ipv6(packet: Ipv6Options): Bytes {
  return bytes(
    hex("60000000"),
    u16(packet.payloadLength ?? packet.payload.length),
    packet.nextHeader,
    64,
    packet.source ?? V6_SOURCE,
    packet.destination ?? V6_DESTINATION,
    packet.payload,
  );
}

export interface TcpOptions {
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly flags?: number;
  readonly payload?: Bytes;
  readonly options?: Bytes;
  readonly dataOffset?: number;
}

export function tcp(segment: TcpOptions): Bytes {
  const { options = hex(""), payload = hex("") } = segment;
  const dataOffset = segment.dataOffset ?? 5 + options.length / 4;
  return bytes(
    u16(segment.sourcePort ?? 50_000),
    u16(segment.destinationPort ?? 9),
    u32(segment.sequence ?? 0xfedcba98),
    u32(segment.acknowledgment ?? 0x01020304),
    dataOffset << 4,
    segment.flags ?? 0x18,
    u16(0x1234),
    u32(0),
    options,
    payload,
  );
}

export interface UdpOptions {
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly length?: number;
  readonly payload?: Bytes;
}

export function udp(datagram: UdpOptions): Bytes {
  const { payload = hex("") } = datagram;
  return bytes(
    u16(datagram.sourcePort ?? 50_000),
    u16(datagram.destinationPort ?? 9),
    u16(datagram.length ?? 8 + payload.length),
    u16(0),
    payload,
  );
}

/** Ethernet, IPv4 and TCP around a payload. */
export function tcpFrame(segment: TcpOptions): Bytes {
  return ethernet(0x0800, ipv4({ protocol: 6, payload: tcp(segment) }));
}

/** Ethernet, IPv4 and UDP around a payload. */
export function udpFrame(datagram: UdpOptions): Bytes {
  return ethernet(0x0800, ipv4({ protocol: 17, payload: udp(datagram) }));
}

/** A DNS message with one question; `name` in labels. */
export function dnsMessage(options: {
  readonly flags?: number;
  readonly labels?: readonly string[];
  readonly type?: number;
  readonly questions?: number;
  /** Records that the header announces; `tail` is what follows the question. */
  readonly answers?: number;
  readonly additionals?: number;
  readonly tail?: Bytes;
}): Bytes {
  const { flags = 0x0100, labels = ["Www", "Example", "com"], type = 1, questions = 1 } = options;
  return bytes(
    u16(0xbeef),
    u16(flags),
    u16(questions),
    u16(options.answers ?? 0),
    u16(0),
    u16(options.additionals ?? 0),
    ...labels.map((label) => bytes(label.length, label)),
    0,
    u16(type),
    u16(1),
    options.tail ?? hex(""),
  );
}

export interface HelloOptions {
  readonly version?: number;
  readonly ciphers?: readonly number[];
  readonly extensions?: readonly (readonly [type: number, body: Bytes])[];
}

/** A handshake message of type ClientHello. */
export function clientHello(options: HelloOptions = {}): Bytes {
  const { version = 0x0303, ciphers = [0x1301, 0x1302], extensions } = options;
  const list = bytes(...(extensions ?? []).map(([type, body]) => extension(type, body)));
  const body = bytes(
    u16(version),
    new Uint8Array(32),
    0,
    u16(ciphers.length * 2),
    ...ciphers.map(u16),
    hex("0100"),
    extensions === undefined ? hex("") : bytes(u16(list.length), list),
  );
  return bytes(1, 0, u16(body.length), body);
}

function extension(type: number, body: Bytes): Bytes {
  return bytes(u16(type), u16(body.length), body);
}

/** Body of a server_name extension. */
export function serverName(name: string): Bytes {
  return bytes(u16(name.length + 3), 0, u16(name.length), name);
}

/** A vector of 16-bit numbers after its length in two bytes. */
export function vector16(...values: readonly number[]): Bytes {
  return bytes(u16(values.length * 2), ...values.map(u16));
}

/** A TLS record of handshake type around a message. */
export function handshakeRecord(message: Bytes, length = message.length): Bytes {
  return bytes(hex("160301"), u16(length), message);
}

function v4Address(text: string): Bytes {
  return Uint8Array.from(text.split(".").map(Number));
}
