// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";

const VERSION_AT = 1;
const DESTINATION_ID_LENGTH_AT = 5;
const MIN_LENGTH = 7;
const MAX_ID_LENGTH = 20;
const FORM_AND_FIXED = 0xc0;
const LONG_HEADER_FIRST_BYTES = Array.from({ length: 64 }, (_, low) => FORM_AND_FIXED | low);
/** RFC 9000, RFC 9369, and the IETF drafts `0xff0000NN`. */
const VERSION_1 = 1;
const VERSION_2 = 0x6b3343cf;
const DRAFTS = 0xff0000;

/** QUIC, known by a long header with a known version (RFC 9000 §17.2), or by UDP port 443. */
export const quic: ApplicationProtocol = {
  name: "quic",
  help: "QUIC",
  layer: "application",
  ports: { udp: [443] },
  firstBytes: { udp: LONG_HEADER_FIRST_BYTES },
  create: () => ({ recognises }),
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < MIN_LENGTH) return false;
  const version = view.getInt32(payloadAt + VERSION_AT);
  if (version !== VERSION_1 && version !== VERSION_2 && version >>> 8 !== DRAFTS) return false;
  return view.getUint8(payloadAt + DESTINATION_ID_LENGTH_AT) <= MAX_ID_LENGTH;
}
