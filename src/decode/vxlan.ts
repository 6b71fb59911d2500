// SPDX-License-Identifier: AGPL-3.0-or-later
import { ETHERNET_KEY } from "./ethernet.ts";
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, Stop, udpKey } from "./protocol.ts";

const HEADER_LENGTH = 8;
const RESERVED_AT = 7;
const ETHERNET_LENGTH = 14;
/** The identifier is valid: the one flag of RFC 7348. */
const VALID = 0x08;
/** Group policy of draft-smith-vxlan-group-policy; other bits must be 0. */
const GROUP_POLICY = 0x80;

/** VXLAN (RFC 7348) on its port, and on the one that Linux took before there was one. */
export const vxlan: HeaderProtocol = {
  name: "vxlan",
  help: "VXLAN",
  layer: "tunnel",
  keys: [udpKey(4789), udpKey(8472)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH + ETHERNET_LENGTH) return Stop.DONE;
  if ((view.getUint8(at) & ~GROUP_POLICY) !== VALID) return Stop.DONE;
  if (view.getUint8(at + RESERVED_AT) !== 0) return Stop.DONE;
  packet.at = at + HEADER_LENGTH;
  return ETHERNET_KEY;
}
