// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";
import { UDP_NUMBER } from "./udp.ts";
import { fourBytes } from "./wire-text.ts";

const HANDSHAKE_0 = fourBytes("\x13Bit");
const HANDSHAKE_4 = fourBytes("Torr");
const DHT_QUERY = fourBytes("d1:a");
const DHT_RESPONSE = fourBytes("d1:r");
const DHT_ERROR = fourBytes("d1:e");
const DHT_4 = fourBytes("d2:i");
const DHT_ERROR_4 = fourBytes("li20");
/** uTP, BEP 29: a SYN has acknowledged nothing and measured no delay; it has no payload, and at most one extension. */
const SYN = 0x41;
const EXTENSION_AT = 1;
const DELAY_AT = 8;
const ACKNOWLEDGED_AT = 18;
const SYN_LENGTH = 20;
const EXTENSION_LENGTH = 10;

/** BitTorrent, known by the peer handshake (BEP 3), by DHT messages (BEP 5) and by the SYN of uTP (BEP 29). */
export const bittorrent: ApplicationProtocol = {
  name: "bittorrent",
  help: "BitTorrent",
  layer: "application",
  ports: {},
  firstBytes: { tcp: [0x13], udp: [0x64, SYN] },
  create: () => ({ recognises }),
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < 8) return false;
  const first = view.getInt32(payloadAt);
  const second = view.getInt32(payloadAt + 4);
  if (first === HANDSHAKE_0) return second === HANDSHAKE_4;
  if (first === DHT_QUERY || first === DHT_RESPONSE) return second === DHT_4;
  if (first === DHT_ERROR) return second === DHT_ERROR_4;
  return first >>> 24 === SYN && packet.ipProtocol === UDP_NUMBER && isSyn(packet);
}

function isSyn({ view, payloadAt, payloadEnd, payloadLength }: Packet): boolean {
  if (payloadEnd - payloadAt < SYN_LENGTH) return false;
  const extension = view.getUint8(payloadAt + EXTENSION_AT);
  if (extension > 2) return false;
  if (payloadLength !== SYN_LENGTH + (extension === 0 ? 0 : EXTENSION_LENGTH)) return false;
  return (
    view.getInt32(payloadAt + DELAY_AT) === 0 && view.getUint16(payloadAt + ACKNOWLEDGED_AT) === 0
  );
}
