// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../capture/source.ts";
import { IEEE80211_KEY } from "./ieee80211.ts";
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

const LENGTH_AT = 4;
const HEADER_LENGTH = 8;
/** Newest version of AVS is 2; the rest of the number is its magic. */
const AVS_MAGIC = 0x80211000;
const AVS_VERSIONS = 0xfff;
const PRISM_LENGTH_MAX = 0xffff;

/**
 * IEEE 802.11 behind a Prism or AVS header: https://www.tcpdump.org/linktypes/LINKTYPE_IEEE802_11_PRISM.html. AVS
 * is big-endian, Prism in the byte order of the machine that captured.
 */
export const prism: HeaderProtocol = {
  name: "prism",
  help: "IEEE 802.11 with Prism or AVS header",
  layer: "link",
  keys: [linkKey(LinkType.IEEE802_11_PRISM), linkKey(LinkType.IEEE802_11_AVS)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  const isAvs = (view.getUint32(at) & ~AVS_VERSIONS) >>> 0 === AVS_MAGIC;
  let length = view.getUint32(at + LENGTH_AT);
  if (!isAvs && length > PRISM_LENGTH_MAX) length = view.getUint32(at + LENGTH_AT, true);
  if (length < HEADER_LENGTH) return Stop.MALFORMED;
  if (packet.end - at < length) return short(packet);
  packet.at = at + length;
  return IEEE80211_KEY;
}
