// SPDX-License-Identifier: AGPL-3.0-or-later
import { ETHERNET_KEY } from "./ethernet.ts";
import type { Packet } from "./packet.ts";
import { etherKey, type HeaderProtocol, Stop, short } from "./protocol.ts";

const TYPE_II = 1;
const TYPE_III = 2;
const TYPE_II_LENGTH = 8;
const TYPE_III_LENGTH = 12;
const TYPE_III_FLAGS_AT = 11;
const HAS_SUBHEADER = 1;
const SUBHEADER_LENGTH = 8;

export const ERSPAN_TYPE = 0x88be;

/** Mirrored frames on their way to the analyser (draft-foschiano-erspan-03), types II and III. */
export const erspan: HeaderProtocol = {
  name: "erspan",
  help: "ERSPAN",
  layer: "link",
  keys: [etherKey(ERSPAN_TYPE), etherKey(0x22eb)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < TYPE_II_LENGTH) return short(packet);
  const version = view.getUint8(at) >>> 4;
  if (version === TYPE_II) {
    packet.at = at + TYPE_II_LENGTH;
    return ETHERNET_KEY;
  }
  if (version !== TYPE_III) return Stop.UNSUPPORTED;
  if (packet.end - at < TYPE_III_LENGTH) return short(packet);
  const hasSubheader = (view.getUint8(at + TYPE_III_FLAGS_AT) & HAS_SUBHEADER) !== 0;
  packet.at = at + TYPE_III_LENGTH + (hasSubheader ? SUBHEADER_LENGTH : 0);
  return ETHERNET_KEY;
}
