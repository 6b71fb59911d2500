// SPDX-License-Identifier: AGPL-3.0-or-later

import { ERSPAN_TYPE } from "./erspan.ts";
import { ETHERNET_KEY } from "./ethernet.ts";
import type { Packet } from "./packet.ts";
import { limitTo } from "./payload-limit.ts";
import { etherKey, type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const TYPE_AT = 2;
const PAYLOAD_LENGTH_AT = 4;
const HEADER_LENGTH = 4;
const FIELD_LENGTH = 4;
const Flag = {
  CHECKSUM: 0x8000,
  ROUTING: 0x4000,
  KEY: 0x2000,
  SEQUENCE: 0x1000,
  ACKNOWLEDGMENT: 0x0080,
} as const;
const VERSION_MASK = 7;
const ENHANCED = 1;
const PPP_TYPE = 0x880b;

/**
 * GRE (RFC 2784, with key and sequence of RFC 2890; NVGRE, RFC 7637) and the enhanced GRE of PPTP (RFC 2637 §4.1).
 * Counted as transport where nothing in it can be read.
 */
export const gre: HeaderProtocol = {
  name: "gre",
  help: "GRE",
  layer: "transport",
  carries: true,
  keys: [ipKey(47)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  const flags = view.getUint16(at);
  const type = view.getUint16(at + TYPE_AT);
  const version = flags & VERSION_MASK;
  packet.transportAt = at;
  if (version === ENHANCED && type === PPP_TYPE) return enhanced(packet, flags);
  if (version !== 0 || (flags & Flag.ROUTING) !== 0) return Stop.UNSUPPORTED;
  let inner = at + HEADER_LENGTH;
  if ((flags & Flag.CHECKSUM) !== 0) inner += FIELD_LENGTH;
  if ((flags & Flag.KEY) !== 0) inner += FIELD_LENGTH;
  if ((flags & Flag.SEQUENCE) !== 0) inner += FIELD_LENGTH;
  if (packet.end < inner) return short(packet);
  packet.at = inner;
  // Type 0 with nothing behind it is a keep-alive on its way back.
  if (inner >= packet.sentEnd) return Stop.DONE;
  // Type I of ERSPAN has no header of its own, and is the one without a sequence number.
  if (type === ERSPAN_TYPE && (flags & Flag.SEQUENCE) === 0) return ETHERNET_KEY;
  return etherKey(type);
}

/** Acknowledgements alone carry nothing; all else is PPP, of the length that the first half of the key gives. */
function enhanced(packet: Packet, flags: number): number {
  const { view, at } = packet;
  let inner = at + HEADER_LENGTH + FIELD_LENGTH;
  if ((flags & Flag.SEQUENCE) !== 0) inner += FIELD_LENGTH;
  if ((flags & Flag.ACKNOWLEDGMENT) !== 0) inner += FIELD_LENGTH;
  if (packet.end < inner) return short(packet);
  packet.at = inner;
  const length = view.getUint16(at + PAYLOAD_LENGTH_AT);
  if ((flags & Flag.SEQUENCE) === 0 || length === 0) return Stop.DONE;
  limitTo(packet, inner + length);
  return etherKey(PPP_TYPE);
}
