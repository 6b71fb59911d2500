// SPDX-License-Identifier: AGPL-3.0-or-later
import { IPV4_KEY } from "./ipv4.ts";
import { IPV6_KEY } from "./ipv6.ts";
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, Stop, udpKey } from "./protocol.ts";

const TYPE_AT = 1;
const LENGTH_AT = 2;
const HEADER_LENGTH = 8;
const OPTIONAL_LENGTH = 4;
/** Version 1, protocol type GTP. */
const VERSION_MASK = 0xf0;
const VERSION_1 = 0x30;
/** Extension header, sequence number, N-PDU number: with any of them the optional fields are there. */
const OPTIONAL = 0x07;
const EXTENSION = 0x04;
const USER_PACKET = 255;
const EXTENSION_UNIT = 4;
const MAX_EXTENSIONS = 8;

/** GTP-U (3GPP TS 29.281): packets of mobile users. Messages of the tunnel itself stay UDP. */
export const gtpU: HeaderProtocol = {
  name: "gtp_u",
  help: "GTP-U",
  layer: "tunnel",
  keys: [udpKey(2152)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at, end } = packet;
  if (end - at < HEADER_LENGTH) return Stop.DONE;
  const flags = view.getUint8(at);
  if ((flags & VERSION_MASK) !== VERSION_1 || view.getUint8(at + TYPE_AT) !== USER_PACKET) {
    return Stop.DONE;
  }
  if (at + HEADER_LENGTH + view.getUint16(at + LENGTH_AT) > packet.sentEnd) return Stop.DONE;
  let inner = at + HEADER_LENGTH;
  if ((flags & OPTIONAL) !== 0) inner += OPTIONAL_LENGTH;
  if ((flags & EXTENSION) !== 0) inner = afterExtensions(packet, inner);
  if (inner >= end) return Stop.DONE;
  const version = view.getUint8(inner) >>> 4;
  if (version !== 4 && version !== 6) return Stop.DONE;
  packet.at = inner;
  return version === 4 ? IPV4_KEY : IPV6_KEY;
}

/** Where the chain of extension headers ends whose first one the byte before `from` names; `end` where it does not. */
function afterExtensions(packet: Packet, from: number): number {
  const { view, end } = packet;
  let at = from;
  for (let count = 0; count < MAX_EXTENSIONS && at < end; count++) {
    if (view.getUint8(at - 1) === 0) return at;
    const length = view.getUint8(at) * EXTENSION_UNIT;
    if (length === 0) return end;
    at += length;
  }
  return at < end && view.getUint8(at - 1) === 0 ? at : end;
}
