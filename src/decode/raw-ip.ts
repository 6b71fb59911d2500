// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../capture/source.ts";
import { IPV4_KEY } from "./ipv4.ts";
import { IPV6_KEY } from "./ipv6.ts";
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

/** No link header at all: the version of the IP header says which it is. */
export const rawIp: HeaderProtocol = {
  name: "raw_ip",
  help: "IP without a link header",
  layer: "link",
  keys: [LinkType.RAW, LinkType.IPV4, LinkType.IPV6].map(linkKey),
  create: () => decode,
};

function decode(packet: Packet): number {
  if (packet.end - packet.at < 1) return short(packet);
  const version = packet.view.getUint8(packet.at) >>> 4;
  if (version === 4) return IPV4_KEY;
  if (version === 6) return IPV6_KEY;
  return Stop.MALFORMED;
}
