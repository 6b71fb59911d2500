// SPDX-License-Identifier: AGPL-3.0-or-later
import { typeOrLength } from "./ethernet.ts";
import { type Packet, VLAN_TAG_LENGTH } from "./packet.ts";
import { etherKey, type HeaderProtocol, short } from "./protocol.ts";

const TYPE_AT = 2;
const IDENTIFIER_MASK = 0xfff;
/** IEEE 802.1Q, IEEE 802.1ad service tag, and the two numbers in use before 802.1ad. */
const TPIDS = [0x8100, 0x88a8, 0x9100, 0x9200] as const;

/** IEEE 802.1Q and stacked (QinQ) tags. */
export const vlan: HeaderProtocol = {
  name: "vlan",
  help: "IEEE 802.1Q and 802.1ad tags",
  layer: "link",
  keys: TPIDS.map(etherKey),
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < VLAN_TAG_LENGTH) return short(packet);
  tag(packet, view.getUint16(at));
  packet.at = at + VLAN_TAG_LENGTH;
  return typeOrLength(packet, view.getUint16(at + TYPE_AT));
}

/** Notes a tag control information field, read from the frame or taken out of it by the kernel. */
export function tag(packet: Packet, tci: number): void {
  if (packet.vlanId < 0) packet.vlanId = tci & IDENTIFIER_MASK;
}
