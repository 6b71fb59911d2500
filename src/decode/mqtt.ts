// SPDX-License-Identifier: AGPL-3.0-or-later
import { Logins, loginFailures, loginFailuresSignal } from "./login.ts";
import type { Packet } from "./packet.ts";
import { type ApplicationProtocol, type DecodeContext, Stop } from "./protocol.ts";
import { fourBytes } from "./wire-text.ts";

const CONNECT = 0x10;
const CONTINUES = 0x80;
const NAME = fourBytes("MQTT");
/** MQTT 3.1 was called MQIsdp. */
const OLD_NAME = fourBytes("MQIs");
const MAX_LENGTH_BYTES = 4;
/** CONNACK: type, length, flags, and a code. */
const CONNACK = 0x20;
const CODE_AT = 3;
const ACCEPTED = 0;
/** MQTT 3.1.1 §3.2.2.3 and MQTT 5.0 §3.2.2.2: bad user name or password, not authorised. */
const REFUSED: readonly number[] = [4, 5, 0x86, 0x87];

/** MQTT, known by the protocol name in a CONNECT packet (MQTT 5.0 §3.1), or by port. */
export const mqtt: ApplicationProtocol = {
  name: "mqtt",
  help: "MQTT",
  layer: "application",
  ports: { tcp: [1883] },
  firstBytes: { tcp: [CONNECT] },
  startsOtherwise: true,
  metrics: [loginFailures],
  signals: [loginFailuresSignal],
  create,
};

function create(context: DecodeContext) {
  const logins = new Logins("mqtt", context);

  function decode(packet: Packet): number {
    const { view, payloadAt } = packet;
    if (packet.payloadEnd - payloadAt <= CODE_AT) return Stop.DONE;
    if (view.getUint8(payloadAt) !== CONNACK) return Stop.DONE;
    const code = view.getUint8(payloadAt + CODE_AT);
    if (code === ACCEPTED) logins.succeeded(packet);
    else if (REFUSED.includes(code)) logins.failed(packet);
    return Stop.DONE;
  }

  return { recognises, decode };
}

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
