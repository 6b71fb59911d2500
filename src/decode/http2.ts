// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";
import { fourBytes } from "./wire-text.ts";

const PREFACE_0 = fourBytes("PRI ");
const PREFACE_4 = fourBytes("* HT");

/** HTTP/2 in clear text, known by the client's connection preface (RFC 9113 §3.4). */
export const http2: ApplicationProtocol = {
  name: "http2",
  help: "HTTP/2 in clear text",
  layer: "application",
  ports: {},
  firstBytes: { tcp: [0x50] },
  create: () => ({ recognises }),
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < 8) return false;
  return view.getInt32(payloadAt) === PREFACE_0 && view.getInt32(payloadAt + 4) === PREFACE_4;
}
