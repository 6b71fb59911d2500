// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const HEADER_LENGTH = 12;

/** IPsec AH (RFC 4302); counted, what it covers is not read. */
export const ah: HeaderProtocol = {
  name: "ah",
  help: "IPsec AH",
  layer: "transport",
  keys: [ipKey(51)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const at = packet.at;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  packet.transportAt = at;
  return Stop.DONE;
}
