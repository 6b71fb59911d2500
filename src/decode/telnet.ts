// SPDX-License-Identifier: AGPL-3.0-or-later
import { Logins, loginFailures, loginFailuresSignal } from "./login.ts";
import type { Packet } from "./packet.ts";
import { type ApplicationProtocol, type DecodeContext, Stop } from "./protocol.ts";
import { ascii, startsWith } from "./text-line.ts";

/** RFC 854: "interpret as command", and the four commands about an option. */
const IAC = 0xff;
const WILL = 0xfb;
const DONT = 0xfe;
const COMMAND_LENGTH = 3;
/** Two commands prove it: one alone is three bytes. */
const COMMANDS_PROVING = 2;
/** https://www.iana.org/assignments/telnet-options: the last one in use. */
const OPTION_MAX = 49;
const REFUSED = ascii("LOGIN INCORRECT");
const SPACE = 0x20;
/** Line ends before the words. */
const BEFORE_MAX = 4;

/** Telnet (RFC 854), known by the negotiation of options with which it begins, or by port. */
export const telnet: ApplicationProtocol = {
  name: "telnet",
  help: "Telnet",
  layer: "application",
  ports: { tcp: [23] },
  firstBytes: { tcp: [IAC] },
  startsOtherwise: true,
  metrics: [loginFailures],
  signals: [loginFailuresSignal],
  create,
};

function create(context: DecodeContext) {
  const logins = new Logins("telnet", context);

  function decode(packet: Packet): number {
    const { view, payloadEnd } = packet;
    let at = packet.payloadAt;
    const last = Math.min(payloadEnd, at + BEFORE_MAX);
    while (at < last && view.getUint8(at) <= SPACE) at++;
    if (startsWith(view, at, payloadEnd, REFUSED)) logins.failed(packet);
    return Stop.DONE;
  }

  return { recognises, decode };
}

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  if (payloadEnd - payloadAt < COMMANDS_PROVING * COMMAND_LENGTH) return false;
  for (let i = 0; i < COMMANDS_PROVING; i++) {
    const at = payloadAt + i * COMMAND_LENGTH;
    const command = view.getUint8(at + 1);
    if (view.getUint8(at) !== IAC || command < WILL || command > DONT) return false;
    if (view.getUint8(at + 2) > OPTION_MAX) return false;
  }
  return true;
}
