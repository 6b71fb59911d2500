// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const HEADER_LENGTH = 8;

/** IPsec ESP (RFC 4303): what follows is encrypted. */
export const esp: HeaderProtocol = {
  name: "esp",
  help: "IPsec ESP",
  layer: "transport",
  keys: [ipKey(50)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const at = packet.at;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  packet.transportAt = at;
  return Stop.DONE;
}
