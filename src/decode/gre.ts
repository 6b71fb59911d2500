// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const HEADER_LENGTH = 4;

/** GRE (RFC 2784); counted, what it carries is not read. */
export const gre: HeaderProtocol = {
  name: "gre",
  help: "GRE",
  layer: "transport",
  keys: [ipKey(47)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const at = packet.at;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  packet.transportAt = at;
  return Stop.DONE;
}
