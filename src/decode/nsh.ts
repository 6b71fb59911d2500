// SPDX-License-Identifier: AGPL-3.0-or-later
import { ETHERNET_KEY } from "./ethernet.ts";
import { IPV4_KEY } from "./ipv4.ts";
import { IPV6_KEY } from "./ipv6.ts";
import { MPLS_KEY } from "./mpls.ts";
import type { Packet } from "./packet.ts";
import { etherKey, type HeaderProtocol, Stop, short } from "./protocol.ts";

const LENGTH_AT = 1;
const LENGTH_MASK = 0x3f;
const LENGTH_UNIT = 4;
const NEXT_AT = 3;
const MIN_LENGTH = 8;
const VERSION_SHIFT = 6;
/** RFC 8300 §2.2; the same numbers serve VXLAN-GPE. */
const Next = { IPV4: 1, IPV6: 2, ETHERNET: 3, NSH: 4, MPLS: 5 } as const;

export const NSH_KEY = etherKey(0x894f);

/** Network service header of service chains (RFC 8300). */
export const nsh: HeaderProtocol = {
  name: "nsh",
  help: "Network service header",
  layer: "link",
  keys: [NSH_KEY],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < MIN_LENGTH) return short(packet);
  if (view.getUint8(at) >>> VERSION_SHIFT !== 0) return Stop.UNSUPPORTED;
  const length = (view.getUint8(at + LENGTH_AT) & LENGTH_MASK) * LENGTH_UNIT;
  if (length < MIN_LENGTH) return Stop.MALFORMED;
  if (packet.end - at < length) return short(packet);
  packet.at = at + length;
  return nextProtocolKey(view.getUint8(at + NEXT_AT));
}

/** Key that a next-protocol number names, UNSUPPORTED for a number without one. */
export function nextProtocolKey(next: number): number {
  switch (next) {
    case Next.IPV4:
      return IPV4_KEY;
    case Next.IPV6:
      return IPV6_KEY;
    case Next.ETHERNET:
      return ETHERNET_KEY;
    case Next.NSH:
      return NSH_KEY;
    case Next.MPLS:
      return MPLS_KEY;
    default:
      return Stop.UNSUPPORTED;
  }
}
