// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../capture/source.ts";
import { MIN_TYPE } from "./ethernet.ts";
import { LLC_KEY } from "./llc.ts";
import type { Packet } from "./packet.ts";
import { etherKey, type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

const TYPE_AT = 2;
const HEADER_LENGTH = 4;
/** Keep-alives of the line; on Ethernet the same number is RARP. */
const SLARP = 0x8035;
/** OSI protocols, with one byte of padding before their LLC. */
const OSI = 0xfefe;

export const CISCO_HDLC_KEY = linkKey(LinkType.C_HDLC);

/** Cisco HDLC: RFC 1547 §4.3.1, https://www.tcpdump.org/linktypes/LINKTYPE_C_HDLC.html */
export const ciscoHdlc: HeaderProtocol = {
  name: "cisco_hdlc",
  help: "Cisco HDLC",
  layer: "link",
  keys: [CISCO_HDLC_KEY],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  packet.at = at + HEADER_LENGTH;
  const type = view.getUint16(at + TYPE_AT);
  if (type === SLARP) return Stop.DONE;
  if (type === OSI) return LLC_KEY;
  return type >= MIN_TYPE ? etherKey(type) : Stop.UNSUPPORTED;
}
