// SPDX-License-Identifier: AGPL-3.0-or-later
import { Fragment, limitToDatagram, limitToFrame } from "./ip-datagram.ts";
import type { Packet } from "./packet.ts";
import {
  type DecodeContext,
  etherKey,
  type HeaderProtocol,
  ipKey,
  Stop,
  short,
} from "./protocol.ts";
import { Reassembly } from "./reassembly.ts";

const PAYLOAD_LENGTH_AT = 4;
const NEXT_HEADER_AT = 6;
const HOP_LIMIT_AT = 7;
const SOURCE_AT = 8;
const DESTINATION_AT = 24;
const HEADER_LENGTH = 40;

const EXTENSION_UNIT = 8;
const EXTENSION_LENGTH_AT = 1;
const FRAGMENT_OFFSET_AT = 2;
const IDENTIFICATION_AT = 4;
const OFFSET_MASK = 0xfff8;
const MORE_FRAGMENTS = 1;
const { LATER } = Fragment;
/** Far above what RFC 8200 §4.1 lets a sender chain; more of them only cost the reader time. */
const MAX_EXTENSIONS = 16;

const NextHeader = {
  HOP_BY_HOP: 0,
  ROUTING: 43,
  FRAGMENT: 44,
  NO_NEXT: 59,
  DESTINATION: 60,
  MOBILITY: 135,
  HIP: 139,
  SHIM6: 140,
} as const;

export const IPV6_KEY = etherKey(0x86dd);

/** IPv6 and its extension headers (RFC 8200). ESP and AH count as transport protocols. */
export const ipv6: HeaderProtocol = {
  name: "ipv6",
  help: "IPv6",
  layer: "network",
  keys: [IPV6_KEY],
  create,
};

function create(context: DecodeContext): (packet: Packet) => number {
  const reassembly = new Reassembly(context, "ipv6");
  return (packet) => decode(packet, reassembly);
}

function decode(packet: Packet, reassembly: Reassembly): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  if (view.getUint8(at) >>> 4 !== 6) return Stop.MALFORMED;
  const payloadLength = view.getUint16(at + PAYLOAD_LENGTH_AT);
  // 0 is a jumbogram (RFC 2675) or a segment left to the network card: the frame's length is the better one.
  if (payloadLength !== 0) limitToDatagram(packet, at + HEADER_LENGTH + payloadLength);
  else limitToFrame(packet);
  packet.networkAt = at;
  packet.at = at + HEADER_LENGTH;
  packet.ipVersion = 6;
  packet.ttl = view.getUint8(at + HOP_LIMIT_AT);
  packet.source0 = view.getInt32(at + SOURCE_AT);
  packet.source1 = view.getInt32(at + SOURCE_AT + 4);
  packet.source2 = view.getInt32(at + SOURCE_AT + 8);
  packet.source3 = view.getInt32(at + SOURCE_AT + 12);
  packet.destination0 = view.getInt32(at + DESTINATION_AT);
  packet.destination1 = view.getInt32(at + DESTINATION_AT + 4);
  packet.destination2 = view.getInt32(at + DESTINATION_AT + 8);
  packet.destination3 = view.getInt32(at + DESTINATION_AT + 12);
  const next = view.getUint8(at + NEXT_HEADER_AT);
  return isExtension(next) ? extensions(packet, next, reassembly) : named(packet, next);
}

/** Walks the chain of extension headers from `packet.at`; returns the key of what follows it, or a Stop. */
function extensions(packet: Packet, first: number, reassembly: Reassembly): number {
  let next = first;
  for (let count = 0; isExtension(next); count++) {
    if (count === MAX_EXTENSIONS) return Stop.MALFORMED;
    const { view, at } = packet;
    if (packet.end - at < EXTENSION_UNIT) return short(packet);
    const header = next;
    next = view.getUint8(at);
    if (header === NextHeader.FRAGMENT) {
      packet.at = at + EXTENSION_UNIT;
      next = fragment(packet, next, reassembly);
      // What follows is data, even where it is named an extension header.
      if (packet.fragment === LATER) break;
    } else {
      packet.at = at + (view.getUint8(at + EXTENSION_LENGTH_AT) + 1) * EXTENSION_UNIT;
      if (packet.at > packet.end) return short(packet);
    }
  }
  return named(packet, next);
}

function named(packet: Packet, next: number): number {
  packet.ipProtocol = next;
  return next === NextHeader.NO_NEXT ? Stop.DONE : ipKey(next);
}

/** Reads the fragment header before `packet.at`; returns what follows. An atomic fragment (RFC 6946) is whole. */
function fragment(packet: Packet, next: number, reassembly: Reassembly): number {
  const { view } = packet;
  const headerAt = packet.at - EXTENSION_UNIT;
  const field = view.getUint16(headerAt + FRAGMENT_OFFSET_AT);
  const offset = field & OFFSET_MASK;
  const more = (field & MORE_FRAGMENTS) !== 0;
  if (offset === 0 && !more) return next;
  return reassembly.take(packet, view.getInt32(headerAt + IDENTIFICATION_AT), offset, more, next);
}

function isExtension(header: number): boolean {
  switch (header) {
    case NextHeader.HOP_BY_HOP:
    case NextHeader.ROUTING:
    case NextHeader.FRAGMENT:
    case NextHeader.DESTINATION:
    case NextHeader.MOBILITY:
    case NextHeader.HIP:
    case NextHeader.SHIM6:
      return true;
    default:
      return false;
  }
}
