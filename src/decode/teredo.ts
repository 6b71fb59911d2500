// SPDX-License-Identifier: AGPL-3.0-or-later
import { IPV6_KEY } from "./ipv6.ts";
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, Stop, udpKey } from "./protocol.ts";

const AUTHENTICATION = 0x0001;
const ORIGIN = 0x0000;
const AUTHENTICATION_LENGTH = 13;
const IDENTIFIER_LENGTH_AT = 2;
const VALUE_LENGTH_AT = 3;
const ORIGIN_LENGTH = 8;
const IPV6_LENGTH = 40;
const PAYLOAD_LENGTH_AT = 4;

/** Teredo (RFC 4380 §5.1.1): IPv6 to or from a server's port, behind authentication and origin where these are. */
export const teredo: HeaderProtocol = {
  name: "teredo",
  help: "Teredo",
  layer: "tunnel",
  keys: [udpKey(3544)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, end } = packet;
  let at = packet.at;
  if (end - at < IPV6_LENGTH) return Stop.DONE;
  if (view.getUint16(at) === AUTHENTICATION) {
    at += AUTHENTICATION_LENGTH;
    at +=
      view.getUint8(packet.at + IDENTIFIER_LENGTH_AT) + view.getUint8(packet.at + VALUE_LENGTH_AT);
  }
  if (end - at < IPV6_LENGTH) return Stop.DONE;
  if (view.getUint16(at) === ORIGIN) at += ORIGIN_LENGTH;
  if (end - at < IPV6_LENGTH || view.getUint8(at) >>> 4 !== 6) return Stop.DONE;
  if (at + IPV6_LENGTH + view.getUint16(at + PAYLOAD_LENGTH_AT) > packet.sentEnd) return Stop.DONE;
  packet.at = at;
  return IPV6_KEY;
}
