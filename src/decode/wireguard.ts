// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";

/** Messages of fixed size, https://www.wireguard.com/protocol/: a type in the first of four bytes, and its length. */
const Initiation = { TYPE: 1, LENGTH: 148 } as const;
const Response = { TYPE: 2, LENGTH: 92 } as const;
const Cookie = { TYPE: 3, LENGTH: 64 } as const;

/** WireGuard, known by its handshake messages. */
export const wireguard: ApplicationProtocol = {
  name: "wireguard",
  help: "WireGuard",
  layer: "application",
  ports: { udp: [51820] },
  firstBytes: { udp: [Initiation.TYPE, Response.TYPE, Cookie.TYPE] },
  create: () => ({ recognises }),
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt, payloadLength } = packet;
  if (packet.payloadEnd - payloadAt < 4) return false;
  const type = view.getInt32(payloadAt, true);
  if (type === Initiation.TYPE) return payloadLength === Initiation.LENGTH;
  if (type === Response.TYPE) return payloadLength === Response.LENGTH;
  return type === Cookie.TYPE && payloadLength === Cookie.LENGTH;
}
