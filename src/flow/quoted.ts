// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../decode/packet.ts";
import { V4_MAPPED_WORD2 } from "../util/address.ts";

const IcmpUnreachable = { TYPE: 3, FRAGMENTATION_NEEDED: 4 } as const;
const ICMPV6_UNREACHABLE = 1;
const PORTS_LENGTH = 4;

const Ipv4 = {
  FRAGMENT_AT: 6,
  OFFSET_MASK: 0x1fff,
  PROTOCOL_AT: 9,
  SOURCE_AT: 12,
  DESTINATION_AT: 16,
} as const;

const Ipv6 = { NEXT_HEADER_AT: 6, SOURCE_AT: 8, DESTINATION_AT: 24, HEADER_LENGTH: 40 } as const;

/** True for an ICMP or ICMPv6 error that says that the quoted packet was not let through, or nobody took it. */
export function isUnreachable(packet: Packet): boolean {
  if (packet.quotedAt < 0) return false;
  if (packet.ipVersion === 6) return packet.icmpType === ICMPV6_UNREACHABLE;
  // RFC 1191: this one only asks for smaller packets.
  return (
    packet.icmpType === IcmpUnreachable.TYPE &&
    packet.icmpCode !== IcmpUnreachable.FRAGMENTATION_NEEDED
  );
}

/**
 * Reads the addresses, protocol and ports of the packet that an ICMP error quotes into `quoted`, as a decoder would
 * have set them. False where the quote is too short, a later fragment, or has IPv6 extension headers.
 */
export function readQuoted(packet: Packet, quoted: Packet): boolean {
  quoted.ipVersion = packet.ipVersion;
  const portsAt = packet.ipVersion === 6 ? readIpv6(packet, quoted) : readIpv4(packet, quoted);
  if (portsAt < 0) return false;
  quoted.sourcePort = 0;
  quoted.destinationPort = 0;
  if (!hasPorts(quoted.ipProtocol)) return true;
  if (portsAt + PORTS_LENGTH > packet.end) return false;
  quoted.sourcePort = packet.view.getUint16(portsAt);
  quoted.destinationPort = packet.view.getUint16(portsAt + 2);
  return true;
}

function readIpv4(packet: Packet, quoted: Packet): number {
  const { view, quotedAt } = packet;
  if ((view.getUint16(quotedAt + Ipv4.FRAGMENT_AT) & Ipv4.OFFSET_MASK) !== 0) return -1;
  quoted.ipProtocol = view.getUint8(quotedAt + Ipv4.PROTOCOL_AT);
  quoted.source0 = 0;
  quoted.source1 = 0;
  quoted.source2 = V4_MAPPED_WORD2;
  quoted.source3 = view.getInt32(quotedAt + Ipv4.SOURCE_AT);
  quoted.destination0 = 0;
  quoted.destination1 = 0;
  quoted.destination2 = V4_MAPPED_WORD2;
  quoted.destination3 = view.getInt32(quotedAt + Ipv4.DESTINATION_AT);
  return quotedAt + ((view.getUint8(quotedAt) & 15) << 2);
}

function readIpv6(packet: Packet, quoted: Packet): number {
  const { view, quotedAt } = packet;
  const sourceAt = quotedAt + Ipv6.SOURCE_AT;
  const destinationAt = quotedAt + Ipv6.DESTINATION_AT;
  quoted.ipProtocol = view.getUint8(quotedAt + Ipv6.NEXT_HEADER_AT);
  quoted.source0 = view.getInt32(sourceAt);
  quoted.source1 = view.getInt32(sourceAt + 4);
  quoted.source2 = view.getInt32(sourceAt + 8);
  quoted.source3 = view.getInt32(sourceAt + 12);
  quoted.destination0 = view.getInt32(destinationAt);
  quoted.destination1 = view.getInt32(destinationAt + 4);
  quoted.destination2 = view.getInt32(destinationAt + 8);
  quoted.destination3 = view.getInt32(destinationAt + 12);
  return quotedAt + Ipv6.HEADER_LENGTH;
}

function hasPorts(ipProtocol: number): boolean {
  return ipProtocol === 6 || ipProtocol === 17 || ipProtocol === 132;
}
