// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Frame } from "../capture/source.ts";
import { type Packet, VLAN_TAG_LENGTH } from "./packet.ts";

/** For packets without an IP header. */
export function clearAddresses(packet: Packet): void {
  packet.source0 = 0;
  packet.source1 = 0;
  packet.source2 = 0;
  packet.source3 = 0;
  packet.destination0 = 0;
  packet.destination1 = 0;
  packet.destination2 = 0;
  packet.destination3 = 0;
}

/** Makes the packet the one that was found inside it; link, direction and data limits stay. */
export function enterTunnel(packet: Packet): void {
  packet.transport = 0;
  forgetHeaders(packet);
}

/** What the network and transport headers of a packet say. */
function forgetHeaders(packet: Packet): void {
  packet.networkAt = -1;
  packet.transportAt = -1;
  packet.payloadAt = -1;
  packet.payloadEnd = -1;
  packet.payloadLength = 0;
  packet.ipVersion = 0;
  packet.ipProtocol = -1;
  packet.ttl = 0;
  packet.fragment = 0;
  packet.sourcePort = 0;
  packet.destinationPort = 0;
}

/**
 * Makes the packet this frame's. Of the one before it leaves the facts, which are stamped, and the addresses,
 * which IP decoders overwrite.
 */
export function resetPacket(packet: Packet, frame: Frame): void {
  const { start, end, wireLength } = frame;
  packet.number = (packet.number + 1) | 0;
  packet.view = frame.view;
  packet.start = start;
  packet.end = end;
  packet.at = start;
  packet.wireLength = wireLength;
  // A tag that the kernel took out is part of the length on the wire but not of the memory.
  packet.sentEnd = start + wireLength - (frame.vlanTci < 0 ? 0 : VLAN_TAG_LENGTH);
  packet.cut = packet.sentEnd > end;
  packet.seconds = frame.seconds;
  packet.nanoseconds = frame.nanoseconds;
  packet.direction = frame.direction;
  packet.linkType = frame.linkType;
  packet.vlanId = -1;
  packet.ethernetAt = -1;
  packet.network = 0;
  packet.transport = 0;
  packet.application = 0;
  packet.guessed = false;
  forgetHeaders(packet);
  packet.tcpFlags = 0;
  packet.tcpSequence = 0;
  packet.tcpAcknowledgment = 0;
  packet.tcpWindow = 0;
  packet.icmpType = -1;
  packet.icmpCode = -1;
  packet.quotedAt = -1;
  packet.flow = -1;
  packet.flowSide = 0;
  packet.flowPackets = 0;
  packet.login = 0;
  packet.fault = 0;
  packet.faultLayer = 0;
}
