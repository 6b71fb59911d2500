// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../capture/source.ts";
import { LLC_KEY } from "./llc.ts";
import type { Packet } from "./packet.ts";
import { etherKey, type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

const TYPE_AT = 12;
const HEADER_LENGTH = 14;
/** IEEE 802.3 §3.2.6: up to 1500 the field is a length, from 0x600 on a type; between them it is neither. */
const MAX_LENGTH = 1500;
export const MIN_TYPE = 0x600;

/** Ethernet II and IEEE 802.3 frames. */
export const ethernet: HeaderProtocol = {
  name: "ethernet",
  help: "Ethernet II and IEEE 802.3",
  layer: "link",
  keys: [linkKey(LinkType.ETHERNET)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const at = packet.at;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  packet.ethernetAt = at;
  packet.at = at + HEADER_LENGTH;
  return typeOrLength(packet, packet.view.getUint16(at + TYPE_AT));
}

/**
 * What a type/length field names, with `packet.at` behind it. A length ends the frame's data, because what
 * follows is padding, and means that an LLC header comes next.
 */
export function typeOrLength(packet: Packet, value: number): number {
  if (value >= MIN_TYPE) return etherKey(value);
  if (value > MAX_LENGTH) return Stop.UNSUPPORTED;
  const end = packet.at + value;
  if (end < packet.end) {
    packet.end = end;
    packet.sentEnd = end;
    packet.cut = false;
  }
  return LLC_KEY;
}
