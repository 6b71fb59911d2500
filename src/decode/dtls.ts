// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";

const VERSION_AT = 1;
const LENGTH_AT = 11;
const HEADER_LENGTH = 13;
/** RFC 9147 §4: change cipher spec, alert, handshake, application data. */
const CONTENT_TYPES = [20, 21, 22, 23] as const;
const DTLS_1_0 = 0xfeff;
const DTLS_1_2 = 0xfefd;

/** DTLS up to 1.2, and the handshake of 1.3 (RFC 6347, RFC 9147), known by a whole record header. */
export const dtls: ApplicationProtocol = {
  name: "dtls",
  help: "DTLS",
  layer: "application",
  ports: {},
  firstBytes: { udp: CONTENT_TYPES },
  create: () => ({ recognises }),
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < HEADER_LENGTH) return false;
  const version = view.getUint16(payloadAt + VERSION_AT);
  if (version !== DTLS_1_0 && version !== DTLS_1_2) return false;
  return view.getUint16(payloadAt + LENGTH_AT) <= packet.payloadLength - HEADER_LENGTH;
}
