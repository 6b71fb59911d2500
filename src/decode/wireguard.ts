// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";

/** Messages, https://www.wireguard.com/protocol/: a type in the first of four bytes, and its length. */
const Initiation = { TYPE: 1, LENGTH: 148 } as const;
const Response = { TYPE: 2, LENGTH: 92 } as const;
const Cookie = { TYPE: 3, LENGTH: 64 } as const;
/** Data is padded to a multiple of 16; a session ends long before its counter fills the upper half. */
const Data = { TYPE: 4, LENGTH_MIN: 32, PADDING_MASK: 15, COUNTER_HIGH_AT: 12 } as const;

/** WireGuard, known by its handshake, and by its data in a flow that is met mid-way. */
export const wireguard: ApplicationProtocol = {
  name: "wireguard",
  help: "WireGuard",
  layer: "application",
  ports: { udp: [51820] },
  firstBytes: { udp: [Initiation.TYPE, Response.TYPE, Cookie.TYPE, Data.TYPE] },
  create: () => ({ recognises }),
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt, payloadLength } = packet;
  if (packet.payloadEnd - payloadAt < 4) return false;
  switch (view.getInt32(payloadAt, true)) {
    case Initiation.TYPE:
      return payloadLength === Initiation.LENGTH;
    case Response.TYPE:
      return payloadLength === Response.LENGTH;
    case Cookie.TYPE:
      return payloadLength === Cookie.LENGTH;
    case Data.TYPE:
      return isData(packet);
    default:
      return false;
  }
}

function isData({ view, payloadAt, payloadEnd, payloadLength }: Packet): boolean {
  if (payloadEnd - payloadAt < Data.COUNTER_HIGH_AT + 4) return false;
  if (payloadLength < Data.LENGTH_MIN || (payloadLength & Data.PADDING_MASK) !== 0) return false;
  return view.getInt32(payloadAt + Data.COUNTER_HIGH_AT, true) === 0;
}
