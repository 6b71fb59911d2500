// SPDX-License-Identifier: AGPL-3.0-or-later
import { Logins, loginFailures, loginFailuresSignal } from "./login.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
} from "./protocol.ts";
import { fourBytes } from "./wire-text.ts";

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: StartupMessage and SSLRequest. */
const LENGTH_AT = 0;
const CODE_AT = 4;
const VERSION_3_0 = 0x0003_0000;
const SSL_REQUEST = 80_877_103;
const SSL_LENGTH = 8;
/** A startup message names the user; the word comes first from every client library. */
const USER = fourBytes("user");
/** ErrorResponse and Authentication: type, length, then fields, or 0 for "ok". */
const ERROR = 0x45;
const AUTHENTICATION = 0x52;
const FIELDS_AT = 5;
const ERROR_LOOK = 64;
/** SQLSTATE 28P01 and 28000: invalid password, invalid authorization. */
const STATE = 0x43;
const STATES = [fourBytes("28P0"), fourBytes("2800")];

/** PostgreSQL, known by the client's first message, or by port, until SSLRequest turns the flow into TLS. */
export const postgresql: ApplicationProtocol = {
  name: "postgresql",
  help: "PostgreSQL",
  layer: "application",
  ports: { tcp: [5432] },
  firstBytes: { tcp: [0] },
  startsOtherwise: true,
  givesWayTo: ["tls"],
  metrics: [loginFailures],
  signals: [loginFailuresSignal],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const logins = new Logins("postgresql", context);

  function decode(packet: Packet): number {
    const { view, payloadAt } = packet;
    if (packet.payloadEnd - payloadAt < FIELDS_AT + 4) return Stop.DONE;
    const type = view.getUint8(payloadAt);
    if (type === ERROR && isRefused(packet)) logins.failed(packet);
    else if (type === AUTHENTICATION && view.getInt32(payloadAt + FIELDS_AT) === 0) {
      logins.succeeded(packet);
    }
    return Stop.DONE;
  }

  return { recognises, decode };
}

/** Looks for the SQLSTATE among the first fields, each a letter and a text that a zero ends. */
function isRefused({ view, payloadAt, payloadEnd }: Packet): boolean {
  const last = Math.min(payloadEnd - 5, payloadAt + ERROR_LOOK);
  for (let at = payloadAt + FIELDS_AT; at < last; at++) {
    const isField =
      view.getUint8(at) === STATE && (at === payloadAt + FIELDS_AT || view.getUint8(at - 1) === 0);
    if (isField) return STATES.includes(view.getInt32(at + 1));
  }
  return false;
}

function recognises({ view, payloadAt, payloadEnd, payloadLength }: Packet): boolean {
  if (payloadEnd - payloadAt < SSL_LENGTH) return false;
  if (view.getInt32(payloadAt + LENGTH_AT) !== payloadLength) return false;
  const code = view.getInt32(payloadAt + CODE_AT);
  if (code === SSL_REQUEST) return payloadLength === SSL_LENGTH;
  return (
    code === VERSION_3_0 && payloadEnd - payloadAt > 12 && view.getInt32(payloadAt + 8) === USER
  );
}
