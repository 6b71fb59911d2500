// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { etherKey, type HeaderProtocol, Stop, udpKey } from "./protocol.ts";

const TYPE_AT = 2;
const RESERVED_AT = 7;
const HEADER_LENGTH = 8;
/** First byte: version, which is 0, and length of the options in words. */
const VERSION_SHIFT = 6;
const OPTION_UNIT = 4;
/** Second byte: control message, and bits that must be 0. */
const CONTROL_AT = 1;
const CONTROL = 0x80;
const RESERVED_BITS = 0x3f;
const MIN_TYPE = 0x600;

/** GENEVE (RFC 8926), options skipped. */
export const geneve: HeaderProtocol = {
  name: "geneve",
  help: "GENEVE",
  layer: "tunnel",
  keys: [udpKey(6081)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return Stop.DONE;
  const first = view.getUint8(at);
  const flags = view.getUint8(at + CONTROL_AT);
  if (first >>> VERSION_SHIFT !== 0 || (flags & (CONTROL | RESERVED_BITS)) !== 0) return Stop.DONE;
  if (view.getUint8(at + RESERVED_AT) !== 0) return Stop.DONE;
  const type = view.getUint16(at + TYPE_AT);
  const length = HEADER_LENGTH + first * OPTION_UNIT;
  if (type < MIN_TYPE || packet.end - at <= length) return Stop.DONE;
  packet.at = at + length;
  return etherKey(type);
}
