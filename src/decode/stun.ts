// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";

const LENGTH_AT = 2;
const COOKIE_AT = 4;
const HEADER_LENGTH = 20;
const MAGIC_COOKIE = 0x2112a442;
/** Classes and methods in use: requests and indications begin with 0, responses and errors with 1. */
const FIRST_BYTES = [0, 1] as const;

/** STUN and TURN (RFC 8489, RFC 8656), known by the magic cookie. */
export const stun: ApplicationProtocol = {
  name: "stun",
  help: "STUN and TURN",
  layer: "application",
  ports: { tcp: [3478], udp: [3478] },
  firstBytes: { tcp: FIRST_BYTES, udp: FIRST_BYTES },
  create: () => ({ recognises }),
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < HEADER_LENGTH) return false;
  if (view.getInt32(payloadAt + COOKIE_AT) !== MAGIC_COOKIE) return false;
  return view.getUint16(payloadAt + LENGTH_AT) <= packet.payloadLength - HEADER_LENGTH;
}
