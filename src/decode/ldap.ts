// SPDX-License-Identifier: AGPL-3.0-or-later
import { contentAt, contentLength } from "./ber.ts";
import { Logins, loginFailures, loginFailuresSignal } from "./login.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
} from "./protocol.ts";

/** RFC 4511 §4.1.1: a sequence of a message id, which is an integer of at most four bytes, and an operation. */
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const ENUMERATED = 0x0a;
const ID_LENGTH_MAX = 4;
const BIND_REQUEST = 0x60;
const BIND_RESPONSE = 0x61;
/** Operations, BindRequest to IntermediateResponse, by tag: application class, with and without content. */
const OPERATIONS: ReadonlySet<number> = new Set([
  ...[
    BIND_REQUEST,
    BIND_RESPONSE,
    0x42,
    0x63,
    0x64,
    0x65,
    0x66,
    0x67,
    0x68,
    0x69,
    0x4a,
    0x6b,
    0x6c,
  ],
  ...[0x6d, 0x6e, 0x6f, 0x50, 0x73, 0x77, 0x78, 0x79],
]);
const SUCCESS = 0;
const INVALID_CREDENTIALS = 49;

/** LDAP (RFC 4511) and CLDAP, known by the frame of its messages, or by port, until StartTLS turns the flow into TLS. */
export const ldap: ApplicationProtocol = {
  name: "ldap",
  help: "LDAP",
  layer: "application",
  ports: { tcp: [389, 3268], udp: [389] },
  firstBytes: { tcp: [SEQUENCE], udp: [SEQUENCE] },
  givesWayTo: ["tls"],
  metrics: [loginFailures],
  signals: [loginFailuresSignal],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const logins = new Logins("ldap", context);

  function decode(packet: Packet): number {
    const { view, payloadEnd } = packet;
    const at = operationAt(packet);
    if (at < 0 || view.getUint8(at) !== BIND_RESPONSE) return Stop.DONE;
    const resultAt = contentAt(view, at, payloadEnd);
    if (resultAt < 0 || payloadEnd - resultAt < 3) return Stop.DONE;
    if (view.getUint16(resultAt) !== ((ENUMERATED << 8) | 1)) return Stop.DONE;
    const result = view.getUint8(resultAt + 2);
    if (result === INVALID_CREDENTIALS) logins.failed(packet);
    else if (result === SUCCESS) logins.succeeded(packet);
    return Stop.DONE;
  }

  return { recognises: (packet) => operationAt(packet) >= 0, decode };
}

/** Where the operation of the message that starts the payload is, -1 where that is no message. */
function operationAt({ view, payloadAt, payloadEnd }: Packet): number {
  const idAt = contentAt(view, payloadAt, payloadEnd);
  if (idAt < 0 || view.getUint8(payloadAt) !== SEQUENCE || payloadEnd - idAt < 2) return -1;
  if (view.getUint8(idAt) !== INTEGER) return -1;
  const idLength = view.getUint8(idAt + 1);
  const at = idAt + 2 + idLength;
  if (idLength === 0 || idLength > ID_LENGTH_MAX || at >= payloadEnd) return -1;
  if (!OPERATIONS.has(view.getUint8(at))) return -1;
  const operation = contentAt(view, at, payloadEnd);
  if (operation < 0) return -1;
  return operation + contentLength(view, at) <= idAt + contentLength(view, payloadAt) ? at : -1;
}
