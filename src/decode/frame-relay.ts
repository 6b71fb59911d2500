// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../capture/source.ts";
import { ETHERNET_KEY, MIN_TYPE } from "./ethernet.ts";
import { IPV4_KEY } from "./ipv4.ts";
import { IPV6_KEY } from "./ipv6.ts";
import type { Packet } from "./packet.ts";
import { etherKey, type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

/** Q.922 §3.3: an address goes on until a byte whose lowest bit is set; two to four bytes. */
const LAST_ADDRESS_BYTE = 1;
const MIN_ADDRESS = 2;
const MAX_ADDRESS = 4;
const UNNUMBERED_INFORMATION = 3;
const TYPE_LENGTH = 2;
/** RFC 2427 §4: network layer protocol identifiers, and padding before them. */
const Identifier = {
  PAD: 0x00,
  Q933: 0x08,
  LMI: 0x09,
  SNAP: 0x80,
  IPV6: 0x8e,
  IPV4: 0xcc,
} as const;
const SNAP_LENGTH = 5;
const SNAP_TYPE_AT = 3;
const OUI_ETHERTYPE = 0;
const OUI_BRIDGED = 0x0080c2;
const BRIDGED_ETHERNET = 7;

/** Frame Relay, with the encapsulation of RFC 2427 or of Cisco, which is an EtherType. */
export const frameRelay: HeaderProtocol = {
  name: "frame_relay",
  help: "Frame Relay",
  layer: "link",
  keys: [linkKey(LinkType.FRELAY)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, end } = packet;
  let at = packet.at;
  let length = 0;
  do {
    if (at >= end) return short(packet);
    if (length === MAX_ADDRESS) return Stop.MALFORMED;
    length++;
  } while ((view.getUint8(at++) & LAST_ADDRESS_BYTE) === 0);
  if (length < MIN_ADDRESS) return Stop.MALFORMED;
  if (end - at < TYPE_LENGTH) return short(packet);
  packet.at = at;
  if (view.getUint8(at) === UNNUMBERED_INFORMATION) return identified(packet, at + 1);
  packet.at = at + TYPE_LENGTH;
  const type = view.getUint16(at);
  return type >= MIN_TYPE ? etherKey(type) : Stop.UNSUPPORTED;
}

function identified(packet: Packet, from: number): number {
  const { view, end } = packet;
  const at = view.getUint8(from) === Identifier.PAD ? from + 1 : from;
  if (at >= end) return short(packet);
  packet.at = at + 1;
  switch (view.getUint8(at)) {
    case Identifier.IPV4:
      return IPV4_KEY;
    case Identifier.IPV6:
      return IPV6_KEY;
    case Identifier.Q933:
    case Identifier.LMI:
      return Stop.DONE;
    case Identifier.SNAP:
      return snap(packet);
    default:
      return Stop.UNSUPPORTED;
  }
}

function snap(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < SNAP_LENGTH) return short(packet);
  packet.at = at + SNAP_LENGTH;
  const oui = (view.getUint16(at) << 8) | view.getUint8(at + 2);
  const type = view.getUint16(at + SNAP_TYPE_AT);
  if (oui === OUI_ETHERTYPE && type >= MIN_TYPE) return etherKey(type);
  return oui === OUI_BRIDGED && type === BRIDGED_ETHERNET ? ETHERNET_KEY : Stop.UNSUPPORTED;
}
