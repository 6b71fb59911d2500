// SPDX-License-Identifier: AGPL-3.0-or-later
import { Conversations, conversationsForgotten } from "./conversations.ts";
import { Logins, loginFailures, loginFailuresSignal } from "./login.ts";
import type { Packet } from "./packet.ts";
import { type ApplicationProtocol, type DecodeContext, Stop } from "./protocol.ts";
import { ascii, lineFeedAt, startsWith } from "./text-line.ts";

const SPACE = 0x20;
/** Longer tags are legal and nobody sends them. */
const TAG_MAX = 16;
const GREETING_MAX = 256;
const GREETING_OK = ascii("* OK ");
const GREETING_PREAUTH = ascii("* PREAUTH ");
const LOGIN = ascii("LOGIN ");
const AUTHENTICATE = ascii("AUTHENTICATE ");
const OK = ascii("OK ");
const NO = ascii("NO ");
/** The one word of a flow: 1 while the answer to a login is awaited. */
const ASKED = 1;

/** IMAP (RFC 9051), known by the server's greeting, or by port. */
export const imap: ApplicationProtocol = {
  name: "imap",
  help: "IMAP",
  layer: "application",
  ports: { tcp: [143] },
  firstBytes: { tcp: [0x2a] },
  startsOtherwise: true,
  givesWayTo: ["tls"],
  metrics: [loginFailures, conversationsForgotten],
  signals: [loginFailuresSignal],
  create,
};

function create(context: DecodeContext) {
  const logins = new Logins("imap", context);
  const conversations = new Conversations(1, context);
  const asked = conversations.state;

  function decode(packet: Packet): number {
    const { view, payloadEnd } = packet;
    const flow = conversations.of(packet);
    const at = flow < 0 ? -1 : behindTag(packet);
    if (at < 0) return Stop.DONE;
    if (startsWith(view, at, payloadEnd, LOGIN) || startsWith(view, at, payloadEnd, AUTHENTICATE)) {
      asked[flow] = ASKED;
    } else if (asked[flow] === ASKED) {
      if (startsWith(view, at, payloadEnd, NO)) logins.failed(packet);
      else if (startsWith(view, at, payloadEnd, OK)) logins.succeeded(packet);
      else return Stop.DONE;
      asked[flow] = 0;
    }
    return Stop.DONE;
  }

  return { recognises, decode };
}

/** Where the word behind a command's tag starts, -1 without one; `*` and `+` tag nothing. */
function behindTag({ view, payloadAt, payloadEnd }: Packet): number {
  const last = Math.min(payloadEnd, payloadAt + TAG_MAX);
  for (let at = payloadAt + 1; at < last; at++) {
    if (view.getUint8(at) === SPACE) return isTag(view.getUint8(payloadAt)) ? at + 1 : -1;
  }
  return -1;
}

function isTag(first: number): boolean {
  return first > SPACE && first !== 0x2a && first !== 0x2b;
}

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  const isGreeting =
    startsWith(view, payloadAt, payloadEnd, GREETING_OK) ||
    startsWith(view, payloadAt, payloadEnd, GREETING_PREAUTH);
  return (
    isGreeting && lineFeedAt(view, payloadAt, Math.min(payloadEnd, payloadAt + GREETING_MAX)) >= 0
  );
}
