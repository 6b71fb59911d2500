// SPDX-License-Identifier: AGPL-3.0-or-later
import { emptyPacket, type Packet, TcpFlag } from "../../src/decode/packet.ts";
import { V4_MAPPED_WORD2 } from "../../src/util/address.ts";

export const Protocol = { ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58 } as const;
const TCP_HEADER_LENGTH = 20;
export const { FIN, SYN, RST, PSH, ACK } = TcpFlag;

/** One end of a flow. */
export interface End {
  readonly words: readonly [number, number, number, number];
  readonly port: number;
}

/** `v4("10.0.0.1", 80)`. */
export function v4(address: string, port = 0): End {
  const word = address.split(".").reduce((all, part) => (all << 8) | Number(part), 0);
  return { words: [0, 0, V4_MAPPED_WORD2, word], port };
}

/** 2001:db8::`host` */
export function v6(host: number, port = 0): End {
  return { words: [0x20010db8, 0, 0, host | 0], port };
}

export interface PacketFields {
  readonly ipProtocol: number;
  readonly flags?: number;
  readonly payload?: number;
  /** Of TCP; without a window, it is open. */
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly window?: number;
  readonly lengthBytes?: number;
  /** False for a fragment without a transport header. */
  readonly hasTransport?: boolean;
}

/** Makes `packet` what the decoders would make of a packet from one end to the other. */
export function setPacket(packet: Packet, from: End, to: End, fields: PacketFields): Packet {
  const { ipProtocol, flags = 0, payload = 0, hasTransport = true } = fields;
  const isIpv4 = from.words[2] === V4_MAPPED_WORD2 && from.words[0] === 0;
  packet.number++;
  packet.network = isIpv4 ? 2 : 3;
  packet.ipVersion = isIpv4 ? 4 : 6;
  packet.ipProtocol = ipProtocol;
  packet.wireLength = fields.lengthBytes ?? 60 + payload;
  packet.transportAt = hasTransport ? 34 : -1;
  packet.tcpFlags = flags;
  packet.payloadLength = payload;
  packet.quotedAt = -1;
  packet.icmpType = -1;
  packet.icmpCode = -1;
  [packet.source0, packet.source1, packet.source2, packet.source3] = from.words;
  [packet.destination0, packet.destination1, packet.destination2, packet.destination3] = to.words;
  packet.sourcePort = hasTransport ? from.port : 0;
  packet.destinationPort = hasTransport ? to.port : 0;
  if (ipProtocol === Protocol.TCP && hasTransport) setTcpHeader(packet, fields);
  return packet;
}

function setTcpHeader(packet: Packet, fields: PacketFields): void {
  const { flags = 0, sequence = 0, acknowledgment = 0, window = 1024 } = fields;
  const at = packet.transportAt;
  if (packet.view.byteLength < at + TCP_HEADER_LENGTH) {
    packet.view = new DataView(new ArrayBuffer(at + TCP_HEADER_LENGTH));
  }
  const { view } = packet;
  view.setUint16(at, packet.sourcePort);
  view.setUint16(at + 2, packet.destinationPort);
  view.setInt32(at + 4, sequence);
  view.setInt32(at + 8, acknowledgment);
  view.setUint8(at + 12, (TCP_HEADER_LENGTH / 4) << 4);
  view.setUint8(at + 13, flags);
  view.setUint16(at + 14, window);
  packet.tcpSequence = sequence;
  packet.tcpAcknowledgment = acknowledgment;
  packet.tcpWindow = window;
}

export function tcpPacket(from: End, to: End, flags: number, payload = 0): Packet {
  return setPacket(emptyPacket({}), from, to, { ipProtocol: Protocol.TCP, flags, payload });
}

export function udpPacket(from: End, to: End, payload = 20): Packet {
  return setPacket(emptyPacket({}), from, to, { ipProtocol: Protocol.UDP, payload });
}
