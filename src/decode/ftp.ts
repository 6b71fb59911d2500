// SPDX-License-Identifier: AGPL-3.0-or-later
import { byReplyCode, Logins, loginFailures, loginFailuresSignal } from "./login.ts";
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol, DecodeContext } from "./protocol.ts";
import { ascii, holdsWord, lineFeedAt, replyCode } from "./text-line.ts";

const READY = 220;
/** Only FTP asks for a password so (RFC 959 §4.2.2). */
const NEED_PASSWORD = 331;
const LOGGED_IN = 230;
const NOT_LOGGED_IN = 530;
const GREETING_MAX = 256;
const FTP = ascii("FTP");

/** FTP control connections (RFC 959), known by a greeting that says so and by the answer to USER, or by port. */
export const ftp: ApplicationProtocol = {
  name: "ftp",
  help: "FTP control",
  layer: "application",
  ports: { tcp: [21] },
  firstBytes: { tcp: [0x32, 0x33] },
  startsOtherwise: true,
  givesWayTo: ["tls"],
  metrics: [loginFailures],
  signals: [loginFailuresSignal],
  create,
};

function create(context: DecodeContext) {
  const logins = new Logins("ftp", context);
  return {
    recognises,
    decode: byReplyCode(logins, NOT_LOGGED_IN, LOGGED_IN),
  };
}

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  const code = replyCode(view, payloadAt, payloadEnd);
  if (code === NEED_PASSWORD) return true;
  if (code !== READY) return false;
  const lineEnd = lineFeedAt(view, payloadAt, Math.min(payloadEnd, payloadAt + GREETING_MAX));
  return lineEnd >= 0 && holdsWord(view, payloadAt, lineEnd, FTP);
}
