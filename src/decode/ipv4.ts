// SPDX-License-Identifier: AGPL-3.0-or-later
import { V4_MAPPED_WORD2 } from "../util/address.ts";
import { limitToDatagram, limitToFrame } from "./ip-datagram.ts";
import { sapKey } from "./llc.ts";
import type { Packet } from "./packet.ts";
import {
  type DecodeContext,
  etherKey,
  type HeaderProtocol,
  ipKey,
  Stop,
  short,
} from "./protocol.ts";
import { fragmentSignals, fragmentsSeen, Reassembly, reassemblies } from "./reassembly.ts";

const TOTAL_LENGTH_AT = 2;
const IDENTIFICATION_AT = 4;
const FRAGMENT_AT = 6;
const TTL_AT = 8;
const PROTOCOL_AT = 9;
const SOURCE_AT = 12;
const DESTINATION_AT = 16;
const MIN_HEADER_LENGTH = 20;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;
const OFFSET_UNIT = 8;
const SAP_IP = 0x06;

export const IPV4_KEY = etherKey(0x0800);

/** IPv4 (RFC 791), options skipped, fragments put together. */
export const ipv4: HeaderProtocol = {
  name: "ipv4",
  help: "IPv4",
  layer: "network",
  keys: [IPV4_KEY, sapKey(SAP_IP)],
  metrics: [fragmentsSeen, reassemblies],
  signals: fragmentSignals,
  create,
};

function create(context: DecodeContext): (packet: Packet) => number {
  const reassembly = new Reassembly(context, "ipv4");

  return function decode(packet: Packet): number {
    const { view, at } = packet;
    const available = packet.end - at;
    if (available < MIN_HEADER_LENGTH) return short(packet);
    const versionAndLength = view.getUint8(at);
    const headerLength = (versionAndLength & 15) << 2;
    if (versionAndLength >>> 4 !== 4 || headerLength < MIN_HEADER_LENGTH) return Stop.MALFORMED;
    if (available < headerLength) return short(packet);
    const totalLength = view.getUint16(at + TOTAL_LENGTH_AT);
    if (totalLength >= headerLength) limitToDatagram(packet, at + totalLength);
    // A sending host leaves 0 in segments so large that its network card cuts and numbers them.
    else if (totalLength === 0) limitToFrame(packet);
    else return Stop.MALFORMED;
    packet.networkAt = at;
    packet.at = at + headerLength;
    packet.ipVersion = 4;
    packet.ttl = view.getUint8(at + TTL_AT);
    packet.source0 = 0;
    packet.source1 = 0;
    packet.source2 = V4_MAPPED_WORD2;
    packet.source3 = view.getInt32(at + SOURCE_AT);
    packet.destination0 = 0;
    packet.destination1 = 0;
    packet.destination2 = V4_MAPPED_WORD2;
    packet.destination3 = view.getInt32(at + DESTINATION_AT);
    const fragment = view.getUint16(at + FRAGMENT_AT);
    const protocol = view.getUint8(at + PROTOCOL_AT);
    packet.ipProtocol = protocol;
    if ((fragment & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0) {
      const offset = (fragment & OFFSET_MASK) * OFFSET_UNIT;
      const more = (fragment & MORE_FRAGMENTS) !== 0;
      reassembly.take(packet, view.getUint16(at + IDENTIFICATION_AT), offset, more, protocol);
    }
    return ipKey(protocol);
  };
}
