// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";
import { fourBytes } from "./wire-text.ts";

const HANDSHAKE_0 = fourBytes("\x13Bit");
const HANDSHAKE_4 = fourBytes("Torr");
const DHT_QUERY = fourBytes("d1:a");
const DHT_RESPONSE = fourBytes("d1:r");
const DHT_4 = fourBytes("d2:i");

/** BitTorrent, known by the peer handshake (BEP 3) and by bencoded DHT messages (BEP 5). */
export const bittorrent: ApplicationProtocol = {
  name: "bittorrent",
  help: "BitTorrent",
  layer: "application",
  ports: {},
  firstBytes: { tcp: [0x13], udp: [0x64] },
  create: () => ({ recognises }),
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < 8) return false;
  const first = view.getInt32(payloadAt);
  const second = view.getInt32(payloadAt + 4);
  if (first === HANDSHAKE_0) return second === HANDSHAKE_4;
  return (first === DHT_QUERY || first === DHT_RESPONSE) && second === DHT_4;
}
