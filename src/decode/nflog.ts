// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../capture/source.ts";
import { IPV4_KEY } from "./ipv4.ts";
import { IPV6_KEY } from "./ipv6.ts";
import type { Packet } from "./packet.ts";
import { limitTo } from "./payload-limit.ts";
import { type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

const VERSION_AT = 1;
const HEADER_LENGTH = 4;
const Family = { IPV4: 2, IPV6: 10 } as const;
const TYPE_AT = 2;
const ATTRIBUTE_HEADER = 4;
const ALIGNMENT = 4;
const PAYLOAD = 9;
/** The kernel knows about twenty attributes. */
const MAX_ATTRIBUTES = 64;

/**
 * Packets that Linux netfilter logged: attributes in the byte order of the machine that captured, the packet among
 * them. https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html
 */
export const nflog: HeaderProtocol = {
  name: "nflog",
  help: "Linux netfilter log",
  layer: "link",
  keys: [linkKey(LinkType.NFLOG)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  if (view.getUint8(at + VERSION_AT) !== 0) return Stop.UNSUPPORTED;
  const family = view.getUint8(at);
  packet.at = at + HEADER_LENGTH;
  const stop = findPayload(packet);
  if (stop !== Stop.DONE) return stop;
  if (family === Family.IPV4) return IPV4_KEY;
  return family === Family.IPV6 ? IPV6_KEY : Stop.UNSUPPORTED;
}

/** Moves `packet.at` to the packet that was logged. A record without one says only that there was one: unsupported. */
function findPayload(packet: Packet): number {
  const { view } = packet;
  let at = packet.at;
  for (let count = 0; count < MAX_ATTRIBUTES; count++) {
    if (packet.end - at < ATTRIBUTE_HEADER) return packet.cut ? Stop.TRUNCATED : Stop.UNSUPPORTED;
    // Types are small: the byte order is the one in which this one is.
    const littleEndian = view.getUint8(at + TYPE_AT + 1) === 0;
    const length = view.getUint16(at, littleEndian);
    if (length < ATTRIBUTE_HEADER) return Stop.MALFORMED;
    if (view.getUint16(at + TYPE_AT, littleEndian) === PAYLOAD) {
      packet.at = at + ATTRIBUTE_HEADER;
      limitTo(packet, at + length);
      return Stop.DONE;
    }
    at += (length + ALIGNMENT - 1) & -ALIGNMENT;
  }
  return Stop.MALFORMED;
}
