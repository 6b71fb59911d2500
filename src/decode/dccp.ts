// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const DESTINATION_PORT_AT = 2;
const DATA_OFFSET_AT = 4;
const TYPE_AT = 8;
const WORD = 4;
const SHORT_HEADER = 12;
const LONG_HEADER = 16;
/** Long sequence numbers. */
const EXTENDED = 1;

/** DCCP (RFC 4340 §5.1): ports; its payloads are not looked at. */
export const dccp: HeaderProtocol = {
  name: "dccp",
  help: "DCCP",
  layer: "transport",
  keys: [ipKey(33)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < SHORT_HEADER) return short(packet);
  const minimum = (view.getUint8(at + TYPE_AT) & EXTENDED) !== 0 ? LONG_HEADER : SHORT_HEADER;
  const length = view.getUint8(at + DATA_OFFSET_AT) * WORD;
  if (length < minimum) return Stop.MALFORMED;
  if (packet.end - at < length) return short(packet);
  packet.transportAt = at;
  packet.sourcePort = view.getUint16(at);
  packet.destinationPort = view.getUint16(at + DESTINATION_PORT_AT);
  packet.at = at + length;
  return Stop.DONE;
}
