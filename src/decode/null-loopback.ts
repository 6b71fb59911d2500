// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../capture/source.ts";
import { MIN_TYPE } from "./ethernet.ts";
import { IPV4_KEY } from "./ipv4.ts";
import { IPV6_KEY } from "./ipv6.ts";
import type { Packet } from "./packet.ts";
import { etherKey, type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

const HEADER_LENGTH = 4;
const AF_INET = 2;
/** AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS, and Windows. */
const AF_INET6 = [10, 24, 28, 30, 23] as const;

/**
 * BSD loopback: the address family as a 32-bit number in the byte order of the machine that captured
 * (https://www.tcpdump.org/linktypes.html, LINKTYPE_NULL), or in network order (LINKTYPE_LOOP).
 */
export const nullLoopback: HeaderProtocol = {
  name: "null_loopback",
  help: "BSD loopback",
  layer: "link",
  keys: [linkKey(LinkType.NULL), linkKey(LinkType.LOOP)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  packet.at = at + HEADER_LENGTH;
  const big = view.getInt32(at);
  const family = big >>> 16 === 0 ? big : view.getInt32(at, true);
  if (family === AF_INET) return IPV4_KEY;
  for (const number of AF_INET6) if (family === number) return IPV6_KEY;
  // Some systems put an EtherType in the second half; no address family has bits there.
  if ((big & 0xffff) >= MIN_TYPE) return etherKey(big & 0xffff);
  return Stop.UNSUPPORTED;
}
