// SPDX-License-Identifier: AGPL-3.0-or-later
import { Logins, loginFailures, loginFailuresSignal } from "./login.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
} from "./protocol.ts";
import { isDigit } from "./text-line.ts";

/** https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html: length in three bytes, number, then a type. */
const HEADER_LENGTH = 4;
const ERROR_AT = 5;
const MIN_LENGTH = 7;
const NUMBER_AT = 3;
/** The server's greeting: version 10 of the protocol, then that of the server, `8.0.36` or `5.5.5-10.11`. */
const GREETING = 10;
const VERSION_AT = 5;
const DOT = 0x2e;
const DIGITS_MAX = 2;
const ERROR = 0xff;
const ACCESS_DENIED = 1045;
/** A greeting is hardly shorter than 40 bytes, or longer than 180. */
const FIRST_LENGTHS = Array.from({ length: 140 }, (_, index) => 40 + index);

/** MySQL and MariaDB, known by the server's greeting, or by port, until the client turns the flow into TLS. */
export const mysql: ApplicationProtocol = {
  name: "mysql",
  help: "MySQL and MariaDB",
  layer: "application",
  ports: { tcp: [3306] },
  firstBytes: { tcp: FIRST_LENGTHS },
  startsOtherwise: true,
  givesWayTo: ["tls"],
  metrics: [loginFailures],
  signals: [loginFailuresSignal],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const logins = new Logins("mysql", context);

  function decode(packet: Packet): number {
    const { view, payloadAt } = packet;
    if (packet.payloadEnd - payloadAt < MIN_LENGTH) return Stop.DONE;
    const isError = view.getUint8(payloadAt + HEADER_LENGTH) === ERROR;
    if (isError && view.getUint16(payloadAt + ERROR_AT, true) === ACCESS_DENIED)
      logins.failed(packet);
    return Stop.DONE;
  }

  return { recognises, decode };
}

function recognises({ view, payloadAt, payloadEnd, payloadLength }: Packet): boolean {
  if (payloadEnd - payloadAt < VERSION_AT + DIGITS_MAX + 1) return false;
  if (view.getUint8(payloadAt + NUMBER_AT) !== 0) return false;
  if (view.getUint8(payloadAt + HEADER_LENGTH) !== GREETING) return false;
  if ((view.getInt32(payloadAt, true) & 0xffffff) !== payloadLength - HEADER_LENGTH) return false;
  const at = payloadAt + VERSION_AT;
  if (!isDigit(view.getUint8(at))) return false;
  return (
    view.getUint8(at + 1) === DOT ||
    (isDigit(view.getUint8(at + 1)) && view.getUint8(at + 2) === DOT)
  );
}
