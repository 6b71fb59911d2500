// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../capture/source.ts";
import { LLC_KEY } from "./llc.ts";
import type { Packet } from "./packet.ts";
import { limitTo } from "./payload-limit.ts";
import { etherKey, type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

const TYPE_AT = 12;
const HEADER_LENGTH = 14;
/** IEEE 802.3 §3.2.6: up to 1500 the field is a length, from 0x600 on a type; between them it is neither. */
const MAX_LENGTH = 1500;
export const MIN_TYPE = 0x600;

/** EtherType of a whole frame inside GRE or GENEVE (transparent Ethernet bridging). */
const BRIDGED_TYPE = 0x6558;

export const ETHERNET_KEY = linkKey(LinkType.ETHERNET);

/** Ethernet II and IEEE 802.3 frames. */
export const ethernet: HeaderProtocol = {
  name: "ethernet",
  help: "Ethernet II and IEEE 802.3",
  layer: "link",
  keys: [ETHERNET_KEY, etherKey(BRIDGED_TYPE)],
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
  limitTo(packet, packet.at + value);
  return LLC_KEY;
}
