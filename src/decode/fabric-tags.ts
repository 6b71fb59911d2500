// SPDX-License-Identifier: AGPL-3.0-or-later
import { typeOrLength } from "./ethernet.ts";
import type { Packet } from "./packet.ts";
import { etherKey, type HeaderProtocol, short } from "./protocol.ts";

const ETAG_LENGTH = 8;
const VNTAG_LENGTH = 6;
const TYPE_LENGTH = 2;

/** IEEE 802.1BR: tag between a switch and its port extenders. */
export const etag: HeaderProtocol = {
  name: "etag",
  help: "IEEE 802.1BR E-tag",
  layer: "link",
  keys: [etherKey(0x893f)],
  create: () => (packet) => skip(packet, ETAG_LENGTH),
};

/** VN-Tag, which became 802.1BR: tag between a switch and the ports of virtual machines. */
export const vntag: HeaderProtocol = {
  name: "vntag",
  help: "VN-Tag",
  layer: "link",
  keys: [etherKey(0x8926)],
  create: () => (packet) => skip(packet, VNTAG_LENGTH),
};

/** Passes a tag of `length` bytes whose last two are the type of what follows. */
function skip(packet: Packet, length: number): number {
  const { view, at } = packet;
  if (packet.end - at < length) return short(packet);
  packet.at = at + length;
  return typeOrLength(packet, view.getUint16(packet.at - TYPE_LENGTH));
}
