// SPDX-License-Identifier: AGPL-3.0-or-later
import { nextProtocolKey } from "./nsh.ts";
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, Stop, udpKey } from "./protocol.ts";

const NEXT_AT = 3;
const RESERVED_AT = 7;
const HEADER_LENGTH = 8;
/** Version 0, identifier and next protocol valid, no management message. */
const FLAGS = 0x0c;

/** VXLAN with a next-protocol field (draft-ietf-nvo3-vxlan-gpe). */
export const vxlanGpe: HeaderProtocol = {
  name: "vxlan_gpe",
  help: "VXLAN-GPE",
  layer: "tunnel",
  keys: [udpKey(4790)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at <= HEADER_LENGTH) return Stop.DONE;
  if (view.getUint8(at) !== FLAGS || view.getUint8(at + RESERVED_AT) !== 0) return Stop.DONE;
  const key = nextProtocolKey(view.getUint8(at + NEXT_AT));
  if (key < 0) return Stop.DONE;
  packet.at = at + HEADER_LENGTH;
  return key;
}
