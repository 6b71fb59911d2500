// SPDX-License-Identifier: AGPL-3.0-or-later
import { ETHERNET_KEY } from "./ethernet.ts";
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const HEADER_LENGTH = 2;
const VERSION_3 = 0x3000;

/** Ethernet in IP (RFC 3378). */
export const etherIp: HeaderProtocol = {
  name: "ether_ip",
  help: "EtherIP",
  layer: "tunnel",
  keys: [ipKey(97)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  if (view.getUint16(at) !== VERSION_3) return Stop.UNSUPPORTED;
  packet.at = at + HEADER_LENGTH;
  return ETHERNET_KEY;
}
