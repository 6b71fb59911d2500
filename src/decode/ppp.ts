// SPDX-License-Identifier: AGPL-3.0-or-later
import { Direction, LinkType } from "../capture/source.ts";
import { CISCO_HDLC_KEY } from "./cisco-hdlc.ts";
import { IPV4_KEY } from "./ipv4.ts";
import { IPV6_KEY } from "./ipv6.ts";
import { MPLS_KEY } from "./mpls.ts";
import type { Packet } from "./packet.ts";
import { etherKey, type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

/** RFC 1662 §3.1: address and control of an HDLC-like frame; a sender may leave them out (RFC 1661 §6.6). */
const ADDRESS_AND_CONTROL = 0xff03;
/** RFC 1547 §4.3.1: Cisco HDLC on the same kind of line, to one station or to all. */
const CISCO_UNICAST = 0x0f00;
const CISCO_BROADCAST = 0x8f00;
const MIN_LENGTH = 2;
/** https://www.iana.org/assignments/ppp-numbers: from here on network and link control protocols. */
const FIRST_CONTROL = 0x8000;
const Protocol = { IPV4: 0x0021, IPV6: 0x0057, MPLS: 0x0281, MPLS_MULTICAST: 0x0283 } as const;
const GRE_PPP = 0x880b;

export const PPP_KEY = linkKey(LinkType.PPP);

/** PPP (RFC 1661), with or without HDLC-like framing, and inside PPTP's GRE. */
export const ppp: HeaderProtocol = {
  name: "ppp",
  help: "PPP",
  layer: "link",
  keys: [PPP_KEY, linkKey(LinkType.PPP_HDLC), etherKey(GRE_PPP)],
  create: () => decode,
};

/** PPP behind one byte that says who sent it: https://www.tcpdump.org/linktypes/LINKTYPE_PPP_WITH_DIR.html */
export const pppWithDirection: HeaderProtocol = {
  name: "ppp_with_direction",
  help: "PPP with a direction byte",
  layer: "link",
  keys: [linkKey(LinkType.PPP_WITH_DIR)],
  create: () => decodeDirection,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < MIN_LENGTH) return short(packet);
  const first = view.getUint16(at);
  if (first === CISCO_UNICAST || first === CISCO_BROADCAST) return CISCO_HDLC_KEY;
  if (first === ADDRESS_AND_CONTROL) packet.at = at + MIN_LENGTH;
  return pppProtocol(packet);
}

/**
 * Reads the protocol field at `packet.at` and returns the key it names. Control protocols speak of the link itself:
 * nothing follows.
 */
export function pppProtocol(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < 1) return short(packet);
  let protocol = view.getUint8(at);
  // RFC 1661 §6.5: the last byte of the field is odd and all before it are even, so that one byte may do.
  if ((protocol & 1) !== 0) packet.at = at + 1;
  else {
    if (packet.end - at < 2) return short(packet);
    protocol = view.getUint16(at);
    packet.at = at + 2;
  }
  return keyOf(protocol);
}

function keyOf(protocol: number): number {
  switch (protocol) {
    case Protocol.IPV4:
      return IPV4_KEY;
    case Protocol.IPV6:
      return IPV6_KEY;
    case Protocol.MPLS:
    case Protocol.MPLS_MULTICAST:
      return MPLS_KEY;
    default:
      return protocol >= FIRST_CONTROL ? Stop.DONE : Stop.UNSUPPORTED;
  }
}

function decodeDirection(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < 1) return short(packet);
  if (packet.direction === Direction.UNKNOWN) {
    packet.direction = view.getUint8(at) === 0 ? Direction.IN : Direction.OUT;
  }
  packet.at = at + 1;
  return PPP_KEY;
}
