// SPDX-License-Identifier: AGPL-3.0-or-later
import { emptyPacket, type Packet } from "../../src/decode/packet.ts";

export const REQUEST = 1;
export const REPLY = 2;

export interface ArpFields {
  readonly operation: number;
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetIp: string;
  readonly targetMac?: string;
}

/** An ARP packet for Ethernet and IPv4 as the decoder leaves it; `network` is its position in NETWORK_NAMES. */
export function arpPacket(fields: ArpFields): Packet {
  const at = 14;
  const view = new DataView(new ArrayBuffer(60));
  view.setUint16(at, 1);
  view.setUint16(at + 2, 0x0800);
  view.setUint8(at + 4, 6);
  view.setUint8(at + 5, 4);
  view.setUint16(at + 6, fields.operation);
  writeMac(view, at + 8, fields.senderMac);
  writeMac(view, at + 18, fields.targetMac ?? "00:00:00:00:00:00");
  for (const [i, byte] of fields.senderIp.split(".").entries())
    view.setUint8(at + 14 + i, Number(byte));
  for (const [i, byte] of fields.targetIp.split(".").entries())
    view.setUint8(at + 24 + i, Number(byte));
  return Object.assign(emptyPacket({}), {
    view,
    ethernetAt: 0,
    networkAt: at,
    end: 60,
    network: 1,
    wireLength: 60,
  });
}

function writeMac(view: DataView, at: number, mac: string): void {
  for (const [i, byte] of mac.split(":").entries()) {
    view.setUint8(at + i, Number.parseInt(byte, 16));
  }
}
