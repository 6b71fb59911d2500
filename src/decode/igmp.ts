// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const HEADER_LENGTH = 8;

/** IGMP (RFC 9776); counted, not read. */
export const igmp: HeaderProtocol = {
  name: "igmp",
  help: "IGMP",
  layer: "transport",
  keys: [ipKey(2)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const at = packet.at;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  packet.transportAt = at;
  return Stop.DONE;
}
