// SPDX-License-Identifier: AGPL-3.0-or-later
import { Fragment } from "./ip-datagram.ts";
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const DESTINATION_PORT_AT = 2;
const COVERAGE_AT = 4;
const HEADER_LENGTH = 8;
const { FIRST } = Fragment;

/** UDP-Lite (RFC 3828): UDP whose length field says how much the checksum covers instead. */
export const udpLite: HeaderProtocol = {
  name: "udp_lite",
  help: "UDP-Lite",
  layer: "transport",
  keys: [ipKey(136)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  const coverage = view.getUint16(at + COVERAGE_AT);
  packet.transportAt = at;
  packet.sourcePort = view.getUint16(at);
  packet.destinationPort = view.getUint16(at + DESTINATION_PORT_AT);
  packet.at = at + HEADER_LENGTH;
  // RFC 3828 §3.1: 0 is everything, the header is always covered, and no more than there is can be.
  if (coverage !== 0 && coverage < HEADER_LENGTH) return Stop.MALFORMED;
  if (at + coverage > packet.sentEnd && packet.fragment !== FIRST) return Stop.MALFORMED;
  packet.payloadAt = packet.at;
  packet.payloadEnd = packet.end;
  packet.payloadLength = packet.sentEnd - packet.at;
  return Stop.DONE;
}
