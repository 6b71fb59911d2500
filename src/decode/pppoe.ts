// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../capture/source.ts";
import type { Packet } from "./packet.ts";
import { limitTo } from "./payload-limit.ts";
import { pppProtocol } from "./ppp.ts";
import { etherKey, type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

const CODE_AT = 1;
const LENGTH_AT = 4;
const HEADER_LENGTH = 6;
/** Version 1, type 1. */
const VERSION_AND_TYPE = 0x11;
const SESSION = 0;

/** PPPoE (RFC 2516): discovery ends here, a session carries PPP. */
export const pppoe: HeaderProtocol = {
  name: "pppoe",
  help: "PPPoE",
  layer: "link",
  keys: [etherKey(0x8863), etherKey(0x8864), linkKey(LinkType.PPP_ETHER)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  if (view.getUint8(at) !== VERSION_AND_TYPE) return Stop.UNSUPPORTED;
  packet.at = at + HEADER_LENGTH;
  limitTo(packet, packet.at + view.getUint16(at + LENGTH_AT));
  return view.getUint8(at + CODE_AT) === SESSION ? pppProtocol(packet) : Stop.DONE;
}
