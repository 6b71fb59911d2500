// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";
import { fourBytes } from "./wire-text.ts";

/** The message follows the four bytes of its transport header (MS-SMB2 §2.1). */
const PROTOCOL_AT = 4;
const SMB1 = fourBytes("\xffSMB");
const SMB2 = fourBytes("\xfeSMB");
const SMB2_ENCRYPTED = fourBytes("\xfdSMB");

/** SMB and CIFS, known by the protocol identifier, or by port. */
export const smb: ApplicationProtocol = {
  name: "smb",
  help: "SMB",
  layer: "application",
  ports: { tcp: [139, 445] },
  firstBytes: { tcp: [0] },
  create: () => ({ recognises }),
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < PROTOCOL_AT + 4) return false;
  const protocol = view.getInt32(payloadAt + PROTOCOL_AT);
  return protocol === SMB2 || protocol === SMB1 || protocol === SMB2_ENCRYPTED;
}
