// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";
import { fourBytes } from "./wire-text.ts";

const RESPONSE_0 = fourBytes("SIP/");
const RESPONSE_4 = fourBytes("2.0 ");
const INVITE_0 = fourBytes("INVI");
const INVITE_4 = fourBytes("TE s");
const REGISTER_0 = fourBytes("REGI");
const REGISTER_4 = fourBytes("STER");
const FIRST_BYTES = [..."SIR"].map((letter) => letter.charCodeAt(0));

/** SIP (RFC 3261), known by a status line or the requests that open a dialog, or by port. */
export const sip: ApplicationProtocol = {
  name: "sip",
  help: "SIP",
  layer: "application",
  ports: { tcp: [5060], udp: [5060] },
  firstBytes: { tcp: FIRST_BYTES, udp: FIRST_BYTES },
  create: () => ({ recognises }),
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < 8) return false;
  const second = view.getInt32(payloadAt + 4);
  switch (view.getInt32(payloadAt)) {
    case RESPONSE_0:
      return second === RESPONSE_4;
    case INVITE_0:
      return second === INVITE_4;
    case REGISTER_0:
      return second === REGISTER_4;
    default:
      return false;
  }
}
