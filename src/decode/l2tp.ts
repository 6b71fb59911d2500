// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { PPP_KEY } from "./ppp.ts";
import { type HeaderProtocol, Stop, udpKey } from "./protocol.ts";

const MIN_LENGTH = 6;
const Flag = { CONTROL: 0x8000, LENGTH: 0x4000, SEQUENCE: 0x0800, OFFSET: 0x0200 } as const;
/** Bits that must be 0, and the version. */
const FIXED_MASK = 0x34ff;
const VERSION_2 = 0x0002;
const FIELD_LENGTH = 2;

/** L2TP version 2 (RFC 2661): data messages carry PPP; control messages stay UDP. */
export const l2tp: HeaderProtocol = {
  name: "l2tp",
  help: "L2TP",
  layer: "tunnel",
  keys: [udpKey(1701)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at, end } = packet;
  if (end - at < MIN_LENGTH) return Stop.DONE;
  const flags = view.getUint16(at);
  if ((flags & FIXED_MASK) !== VERSION_2 || (flags & Flag.CONTROL) !== 0) return Stop.DONE;
  let inner = at + MIN_LENGTH;
  if ((flags & Flag.LENGTH) !== 0) inner += FIELD_LENGTH;
  if ((flags & Flag.SEQUENCE) !== 0) inner += 2 * FIELD_LENGTH;
  if ((flags & Flag.OFFSET) !== 0) {
    if (end - inner < FIELD_LENGTH) return Stop.DONE;
    inner += FIELD_LENGTH + view.getUint16(inner);
  }
  if (inner >= end) return Stop.DONE;
  packet.at = inner;
  return PPP_KEY;
}
