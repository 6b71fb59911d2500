// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const LENGTH_AT = 1;
const HEADER_LENGTH = 12;
const LENGTH_UNIT = 4;
/** The length field counts words and leaves out two. */
const LENGTH_OFFSET = 2;
const NO_NEXT = 59;

/** IPsec AH (RFC 4302): protects what follows and hides nothing of it, so that is what is counted as transport. */
export const ah: HeaderProtocol = {
  name: "ah",
  help: "IPsec AH",
  layer: "transport",
  carries: true,
  keys: [ipKey(51)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  const length = (view.getUint8(at + LENGTH_AT) + LENGTH_OFFSET) * LENGTH_UNIT;
  if (length < HEADER_LENGTH) return Stop.MALFORMED;
  if (packet.end - at < length) return short(packet);
  packet.transportAt = at;
  packet.at = at + length;
  const next = view.getUint8(at);
  if (next === NO_NEXT) return Stop.DONE;
  packet.ipProtocol = next;
  return ipKey(next);
}
