// SPDX-License-Identifier: AGPL-3.0-or-later
import { Logins, loginFailures, loginFailuresSignal } from "./login.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
  short,
} from "./protocol.ts";

/** RFC 2865 §3: code, identifier, length, authenticator; then attributes. */
const LENGTH_AT = 2;
const HEADER_LENGTH = 20;
const ACCEPT = 2;
const REJECT = 3;
/** Access, accounting and challenge; changes of authorization (RFC 5176). */
const CODES = [1, ACCEPT, REJECT, 4, 5, 11, 40, 41, 42, 43, 44, 45];
const ATTRIBUTE_LENGTH_MIN = 2;
const ATTRIBUTES_MAX = 128;

/** RADIUS (RFC 2865, RFC 2866), known by attributes that fill its length exactly, or by port. */
export const radius: ApplicationProtocol = {
  name: "radius",
  help: "RADIUS",
  layer: "application",
  ports: { udp: [1645, 1646, 1812, 1813, 3799] },
  firstBytes: { udp: CODES },
  metrics: [loginFailures],
  signals: [loginFailuresSignal],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const logins = new Logins("radius", context);

  function decode(packet: Packet): number {
    if (packet.payloadEnd - packet.payloadAt < HEADER_LENGTH) return short(packet);
    const code = packet.view.getUint8(packet.payloadAt);
    if (code === REJECT) logins.failed(packet);
    else if (code === ACCEPT) logins.succeeded(packet);
    return Stop.DONE;
  }

  return { recognises, decode };
}

function recognises({ view, payloadAt, payloadEnd, payloadLength }: Packet): boolean {
  if (payloadEnd - payloadAt < HEADER_LENGTH + ATTRIBUTE_LENGTH_MIN) return false;
  if (view.getUint16(payloadAt + LENGTH_AT) !== payloadLength) return false;
  let at = payloadAt + HEADER_LENGTH;
  for (let count = 0; payloadEnd - at >= ATTRIBUTE_LENGTH_MIN; count++) {
    if (count === ATTRIBUTES_MAX) return false;
    const length = view.getUint8(at + 1);
    if (length < ATTRIBUTE_LENGTH_MIN || view.getUint8(at) === 0) return false;
    at += length;
  }
  return at === payloadAt + payloadLength;
}
