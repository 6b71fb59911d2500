// SPDX-License-Identifier: AGPL-3.0-or-later
import { byReplyCode, Logins, loginFailures, loginFailuresSignal } from "./login.ts";
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol, DecodeContext } from "./protocol.ts";
import { ascii, fourLetters, holdsWord, lineFeedAt, replyCode } from "./text-line.ts";
import { fourBytes } from "./wire-text.ts";

const READY = 220;
/** RFC 4954 §4.6 and §6: authentication succeeded, credentials invalid. */
const AUTHENTICATED = 235;
const REFUSED = 535;
const GREETING_MAX = 256;
const SMTP = ascii("SMTP");
const EHLO = fourBytes("EHLO");
const HELO = fourBytes("HELO");
const SPACE = 0x20;

/**
 * SMTP (RFC 5321) and submission (RFC 6409), known by a greeting that says so and by the client's EHLO or HELO, or by
 * port, until STARTTLS turns the flow into TLS.
 */
export const smtp: ApplicationProtocol = {
  name: "smtp",
  help: "SMTP",
  layer: "application",
  ports: { tcp: [25, 587] },
  firstBytes: { tcp: [0x32, 0x45, 0x48, 0x65, 0x68] },
  startsOtherwise: true,
  givesWayTo: ["tls"],
  metrics: [loginFailures],
  signals: [loginFailuresSignal],
  create,
};

function create(context: DecodeContext) {
  const logins = new Logins("smtp", context);
  return {
    recognises,
    decode: byReplyCode(logins, REFUSED, AUTHENTICATED),
  };
}

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  if (payloadEnd - payloadAt < 6) return false;
  const word = fourLetters(view, payloadAt);
  const isHello = (word === EHLO || word === HELO) && view.getUint8(payloadAt + 4) === SPACE;
  if (!isHello && replyCode(view, payloadAt, payloadEnd) !== READY) return false;
  const lineEnd = lineFeedAt(view, payloadAt, Math.min(payloadEnd, payloadAt + GREETING_MAX));
  return lineEnd >= 0 && (isHello || holdsWord(view, payloadAt, lineEnd, SMTP));
}
