// SPDX-License-Identifier: AGPL-3.0-or-later
import { Direction, LinkType } from "../capture/source.ts";
import type { Packet } from "./packet.ts";
import { etherKey, type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

const HARDWARE_AT = 2;
const PROTOCOL_AT = 14;
const HEADER_LENGTH = 16;
/** Below OTHER_HOST: to this host, broadcast, multicast. */
const PacketType = { OTHER_HOST: 3, OUTGOING: 4 } as const;
/** ARPHRD_NETLINK: the protocol field then holds a netlink family, not an EtherType. */
const HARDWARE_NETLINK = 824;

/** Linux cooked capture, version 1: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html */
export const linuxSll: HeaderProtocol = {
  name: "linux_sll",
  help: "Linux cooked capture v1",
  layer: "link",
  keys: [linkKey(LinkType.LINUX_SLL)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  packet.at = at + HEADER_LENGTH;
  cookedDirection(packet, view.getUint16(at));
  return cookedKey(view.getUint16(at + HARDWARE_AT), view.getUint16(at + PROTOCOL_AT));
}

/** Cooked headers say who sent the packet; taken where the capture itself did not know. */
export function cookedDirection(packet: Packet, packetType: number): void {
  if (packet.direction !== Direction.UNKNOWN) return;
  if (packetType === PacketType.OUTGOING) packet.direction = Direction.OUT;
  else if (packetType < PacketType.OTHER_HOST) packet.direction = Direction.IN;
}

/** Key that the protocol field of a cooked header names. */
export function cookedKey(hardware: number, protocol: number): number {
  return hardware === HARDWARE_NETLINK ? Stop.UNSUPPORTED : etherKey(protocol);
}
