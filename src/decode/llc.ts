// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { etherKey, type HeaderProtocol, Stop, short } from "./protocol.ts";

const CONTROL_AT = 2;
const OUI_AT = 3;
const TYPE_AT = 6;
const HEADER_LENGTH = 3;
const SNAP_LENGTH = 8;
const SAP_SNAP = 0xaa;
const UNNUMBERED_INFORMATION = 3;
/** RFC 1042 (an EtherType follows) and IEEE 802.1H bridge encapsulation. */
const OUI_ETHERTYPE = 0x000000;
const OUI_BRIDGED = 0x0000f8;

/** EtherType numbers below 0x600 cannot be types, so LLC and its service access points are kept there. */
export const LLC_KEY = etherKey(0x0004);
export const sapKey = (sap: number): number => etherKey(0x0100 + sap);

/** IEEE 802.2 LLC, and SNAP on it. */
export const llc: HeaderProtocol = {
  name: "llc",
  help: "IEEE 802.2 LLC and SNAP",
  layer: "link",
  keys: [LLC_KEY],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  const sap = view.getUint8(at);
  if (sap !== SAP_SNAP) {
    packet.at = at + HEADER_LENGTH;
    return sapKey(sap);
  }
  if (packet.end - at < SNAP_LENGTH) return short(packet);
  if (view.getUint8(at + CONTROL_AT) !== UNNUMBERED_INFORMATION) return Stop.UNSUPPORTED;
  const oui = view.getInt32(at + OUI_AT) >>> 8;
  if (oui !== OUI_ETHERTYPE && oui !== OUI_BRIDGED) return Stop.UNSUPPORTED;
  packet.at = at + SNAP_LENGTH;
  return etherKey(view.getUint16(at + TYPE_AT));
}
