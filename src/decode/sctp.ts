// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const DESTINATION_PORT_AT = 2;
const HEADER_LENGTH = 12;

/** SCTP (RFC 9260): ports, no chunks. */
export const sctp: HeaderProtocol = {
  name: "sctp",
  help: "SCTP",
  layer: "transport",
  keys: [ipKey(132)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  packet.transportAt = at;
  packet.sourcePort = view.getUint16(at);
  packet.destinationPort = view.getUint16(at + DESTINATION_PORT_AT);
  return Stop.DONE;
}
