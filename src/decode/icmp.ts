// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const CODE_AT = 1;
const HEADER_LENGTH = 8;
const QUOTED_HEADER_LENGTH = 20;
/** RFC 792: unreachable, source quench, redirect, time exceeded, parameter problem. */
const ERRORS = (1 << 3) | (1 << 4) | (1 << 5) | (1 << 11) | (1 << 12);

/** ICMP (RFC 792). Errors quote the header of the packet that they are about. */
export const icmp: HeaderProtocol = {
  name: "icmp",
  help: "ICMP",
  layer: "transport",
  keys: [ipKey(1)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  packet.transportAt = at;
  packet.at = at + HEADER_LENGTH;
  packet.icmpType = view.getUint8(at);
  packet.icmpCode = view.getUint8(at + CODE_AT);
  if (packet.icmpType < 32 && ((ERRORS >>> packet.icmpType) & 1) !== 0) quote(packet);
  return Stop.DONE;
}

function quote(packet: Packet): void {
  if (packet.end - packet.at < QUOTED_HEADER_LENGTH) return;
  if (packet.view.getUint8(packet.at) >>> 4 === 4) packet.quotedAt = packet.at;
}
