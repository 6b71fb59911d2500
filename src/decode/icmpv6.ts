// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const CODE_AT = 1;
/** RFC 4443 §2.1: type, code and checksum; messages may be no longer. */
const HEADER_LENGTH = 4;
const QUOTE_AT = 8;
const QUOTED_HEADER_LENGTH = 40;
const FIRST_INFORMATIONAL = 128;

/** ICMPv6 (RFC 4443). Errors quote the header of the packet that they are about. */
export const icmpv6: HeaderProtocol = {
  name: "icmpv6",
  help: "ICMPv6",
  layer: "transport",
  keys: [ipKey(58)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  packet.transportAt = at;
  packet.at = at + HEADER_LENGTH;
  packet.icmpType = view.getUint8(at);
  packet.icmpCode = view.getUint8(at + CODE_AT);
  if (packet.icmpType < FIRST_INFORMATIONAL) quote(packet, at + QUOTE_AT);
  return Stop.DONE;
}

function quote(packet: Packet, at: number): void {
  if (packet.end - at < QUOTED_HEADER_LENGTH) return;
  if (packet.view.getUint8(at) >>> 4 === 6) packet.quotedAt = at;
}
