// SPDX-License-Identifier: AGPL-3.0-or-later
import { Fragment } from "./ip-datagram.ts";
import type { Packet } from "./packet.ts";
import { limitTo } from "./payload-limit.ts";
import { type HeaderProtocol, ipKey, Stop, short, udpKey } from "./protocol.ts";

const DESTINATION_PORT_AT = 2;
const LENGTH_AT = 4;
const HEADER_LENGTH = 8;
const { MALFORMED } = Stop;
const { FIRST } = Fragment;
export const UDP_NUMBER = 17;

/** UDP (RFC 768); names the destination port, behind which a tunnel may begin. */
export const udp: HeaderProtocol = {
  name: "udp",
  help: "UDP",
  layer: "transport",
  keys: [ipKey(UDP_NUMBER)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  const length = view.getUint16(at + LENGTH_AT);
  const destinationPort = view.getUint16(at + DESTINATION_PORT_AT);
  packet.transportAt = at;
  packet.sourcePort = view.getUint16(at);
  packet.destinationPort = destinationPort;
  packet.at = at + HEADER_LENGTH;
  if (at + length !== packet.sentEnd && !isLengthPossible(packet, at, length)) return MALFORMED;
  packet.payloadAt = at + HEADER_LENGTH;
  packet.payloadEnd = packet.end;
  packet.payloadLength = packet.sentEnd - packet.payloadAt;
  return udpKey(destinationPort);
}

/** Whether a length that is not the datagram's can be right; one that is shorter ends the data. */
function isLengthPossible(packet: Packet, at: number, length: number): boolean {
  if (length >= HEADER_LENGTH && at + length < packet.sentEnd) {
    limitTo(packet, at + length);
    return true;
  }
  // 0 in datagrams longer than the field can say (RFC 2675 §4); in a first fragment the rest is yet to come.
  return length === 0 || packet.fragment === FIRST;
}
