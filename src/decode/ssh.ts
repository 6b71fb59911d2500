// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";
import { fourBytes } from "./wire-text.ts";

const BANNER = fourBytes("SSH-");

/** SSH (RFC 4253), known by its identification string. */
export const ssh: ApplicationProtocol = {
  name: "ssh",
  help: "SSH",
  layer: "application",
  ports: { tcp: [22] },
  firstBytes: { tcp: [0x53] },
  create: () => ({ recognises }),
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt } = packet;
  return packet.payloadEnd - payloadAt >= 4 && view.getInt32(payloadAt) === BANNER;
}
