// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../capture/source.ts";
import { cookedDirection, cookedKey } from "./linux-sll.ts";
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, linkKey, short } from "./protocol.ts";

const PROTOCOL_AT = 0;
const HARDWARE_AT = 8;
const PACKET_TYPE_AT = 10;
const HEADER_LENGTH = 20;

/** Linux cooked capture, version 2: https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html */
export const linuxSll2: HeaderProtocol = {
  name: "linux_sll2",
  help: "Linux cooked capture v2",
  layer: "link",
  keys: [linkKey(LinkType.LINUX_SLL2)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  packet.at = at + HEADER_LENGTH;
  cookedDirection(packet, view.getUint8(at + PACKET_TYPE_AT));
  return cookedKey(view.getUint16(at + HARDWARE_AT), view.getUint16(at + PROTOCOL_AT));
}
