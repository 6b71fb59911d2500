// SPDX-License-Identifier: AGPL-3.0-or-later
import { ETHERNET_KEY, MIN_TYPE } from "./ethernet.ts";
import { IPV4_KEY } from "./ipv4.ts";
import { IPV6_KEY } from "./ipv6.ts";
import type { Packet } from "./packet.ts";
import { etherKey, type HeaderProtocol, Stop, short } from "./protocol.ts";

const ENTRY_LENGTH = 4;
const BOTTOM_AT = 2;
const BOTTOM = 1;
/** More labels than any network stacks. */
const MAX_LABELS = 16;
const CONTROL_WORD_LENGTH = 4;
const ETHERNET_LENGTH = 14;
const ETHERNET_TYPE_AT = 12;
const MAX_LENGTH = 1500;
/** First four bits of what follows the labels: RFC 4928 §3, RFC 4385 §3 and §5. */
const Nibble = { CONTROL_WORD: 0, ASSOCIATED_CHANNEL: 1, IPV4: 4, IPV6: 6 } as const;

export const MPLS_KEY = etherKey(0x8847);

/**
 * MPLS label stack (RFC 3032). No label says what it carries; the first four bits behind the stack do, as routers
 * take them too: IP, or an Ethernet pseudowire (RFC 4448) with or without its control word.
 */
export const mpls: HeaderProtocol = {
  name: "mpls",
  help: "MPLS",
  layer: "link",
  keys: [MPLS_KEY, etherKey(0x8848)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, end } = packet;
  let at = packet.at;
  for (let count = 0; ; count++) {
    if (count === MAX_LABELS) return Stop.MALFORMED;
    if (end - at < ENTRY_LENGTH) return short(packet);
    const isBottom = (view.getUint8(at + BOTTOM_AT) & BOTTOM) !== 0;
    at += ENTRY_LENGTH;
    if (isBottom) break;
  }
  packet.at = at;
  return at < end ? carried(packet) : short(packet);
}

function carried(packet: Packet): number {
  const { view, at } = packet;
  const nibble = view.getUint8(at) >>> 4;
  if (nibble === Nibble.IPV4) return IPV4_KEY;
  if (nibble === Nibble.IPV6) return IPV6_KEY;
  if (nibble === Nibble.ASSOCIATED_CHANNEL) return Stop.DONE;
  // Both forms of a pseudowire must be in reach before either is believed.
  if (packet.cut && packet.end - at < CONTROL_WORD_LENGTH + ETHERNET_LENGTH) return Stop.TRUNCATED;
  if (nibble === Nibble.CONTROL_WORD && isEthernet(packet, at + CONTROL_WORD_LENGTH)) {
    packet.at = at + CONTROL_WORD_LENGTH;
    return ETHERNET_KEY;
  }
  return isEthernet(packet, at) ? ETHERNET_KEY : Stop.UNSUPPORTED;
}

/** True where an Ethernet header fits whose last field is a type, or the length of what is there. */
function isEthernet(packet: Packet, at: number): boolean {
  if (packet.end - at < ETHERNET_LENGTH) return false;
  const value = packet.view.getUint16(at + ETHERNET_TYPE_AT);
  return (
    value >= MIN_TYPE || (value <= MAX_LENGTH && at + ETHERNET_LENGTH + value <= packet.sentEnd)
  );
}
