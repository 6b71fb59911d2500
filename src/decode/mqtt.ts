// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";
import { fourBytes } from "./wire-text.ts";

const CONNECT = 0x10;
const CONTINUES = 0x80;
const NAME = fourBytes("MQTT");
/** MQTT 3.1 was called MQIsdp. */
const OLD_NAME = fourBytes("MQIs");
const MAX_LENGTH_BYTES = 4;

/** MQTT, known by the protocol name in a CONNECT packet (MQTT 5.0 §3.1), or by port. */
export const mqtt: ApplicationProtocol = {
  name: "mqtt",
  help: "MQTT",
  layer: "application",
  ports: { tcp: [1883] },
  firstBytes: { tcp: [CONNECT] },
  create: () => ({ recognises }),
};

function recognises(packet: Packet): boolean {
  const { view, payloadEnd } = packet;
  let at = packet.payloadAt + 1;
  const lengthEnd = at + MAX_LENGTH_BYTES;
  while (at < payloadEnd && at < lengthEnd && (view.getUint8(at) & CONTINUES) !== 0) at++;
  const nameAt = at + 3;
  if (payloadEnd - nameAt < 4) return false;
  const name = view.getInt32(nameAt);
  return name === NAME || name === OLD_NAME;
}
