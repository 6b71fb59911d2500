// SPDX-License-Identifier: AGPL-3.0-or-later
import { Conversations, conversationsForgotten } from "./conversations.ts";
import { Logins, loginFailures, loginFailuresSignal } from "./login.ts";
import type { Packet } from "./packet.ts";
import { type ApplicationProtocol, type DecodeContext, Stop } from "./protocol.ts";
import { ascii, fourLetters, holdsWord, lineFeedAt } from "./text-line.ts";
import { fourBytes } from "./wire-text.ts";

const OK = fourBytes("+OK ");
const ERROR = fourBytes("-ERR");
/** The low byte of a word that ends three letters. */
const THREE_MASK = ~0xff;
const PASS = fourBytes("PASS");
const APOP = fourBytes("APOP");
const AUTH = fourBytes("AUTH");
const GREETING_MAX = 256;
const POP = ascii("POP");
const READY = ascii("READY");
/** RFC 1939 §7: a server that takes APOP greets with a time stamp in angle brackets. */
const STAMP = ascii("<");
/** The one word of a flow: 1 while the answer to a login is awaited. */
const ASKED = 1;

/** POP3 (RFC 1939), known by its greeting, or by port. Other protocols say `+OK` too, so a bare one proves nothing. */
export const pop3: ApplicationProtocol = {
  name: "pop3",
  help: "POP3",
  layer: "application",
  ports: { tcp: [110] },
  firstBytes: { tcp: [0x2b] },
  startsOtherwise: true,
  givesWayTo: ["tls"],
  metrics: [loginFailures, conversationsForgotten],
  signals: [loginFailuresSignal],
  create,
};

function create(context: DecodeContext) {
  const logins = new Logins("pop3", context);
  const conversations = new Conversations(1, context);
  const asked = conversations.state;

  function decode(packet: Packet): number {
    const { view, payloadAt } = packet;
    if (packet.payloadEnd - payloadAt < 4) return Stop.DONE;
    const flow = conversations.of(packet);
    if (flow < 0) return Stop.DONE;
    const word = fourLetters(view, payloadAt);
    if (word === PASS || word === APOP || word === AUTH) asked[flow] = ASKED;
    else if (asked[flow] === ASKED) answer(packet, view.getInt32(payloadAt), flow);
    return Stop.DONE;
  }

  /** Lines with which SASL goes on begin with neither word. */
  function answer(packet: Packet, word: number, flow: number): void {
    if (word === ERROR) logins.failed(packet);
    else if ((word & THREE_MASK) === (OK & THREE_MASK)) logins.succeeded(packet);
    else return;
    asked[flow] = 0;
  }

  return { recognises, decode };
}

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  if (payloadEnd - payloadAt < 8 || view.getInt32(payloadAt) !== OK) return false;
  const lineEnd = lineFeedAt(view, payloadAt, Math.min(payloadEnd, payloadAt + GREETING_MAX));
  if (lineEnd < 0) return false;
  return (
    holdsWord(view, payloadAt, lineEnd, POP) ||
    holdsWord(view, payloadAt, lineEnd, READY) ||
    holdsWord(view, payloadAt, lineEnd, STAMP)
  );
}
