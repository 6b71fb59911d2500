// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../capture/source.ts";
import { decodeIeee80211 } from "./ieee80211.ts";
import type { Packet } from "./packet.ts";
import { limitTo } from "./payload-limit.ts";
import { type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

const LENGTH_AT = 2;
const PRESENT_AT = 4;
const HEADER_LENGTH = 8;
const WORD = 4;
const Present = { TIME: 1, FLAGS: 2, MORE: 0x80000000 } as const;
const TIME_LENGTH = 8;
const Flag = { CHECKSUM: 0x10, PADDED: 0x20, BAD_CHECKSUM: 0x40 } as const;
const CHECKSUM_LENGTH = 4;
const PADDED_TO = 4;

/** IEEE 802.11 behind a radiotap header (https://www.radiotap.org/); all its numbers are little-endian. */
export const radiotap: HeaderProtocol = {
  name: "radiotap",
  help: "IEEE 802.11 with radiotap",
  layer: "link",
  keys: [linkKey(LinkType.IEEE802_11_RADIOTAP)],
  create: () => decode,
};

function decode(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < HEADER_LENGTH) return short(packet);
  const length = view.getUint16(at + LENGTH_AT, true);
  if (length < HEADER_LENGTH) return Stop.MALFORMED;
  if (packet.end - at < length) return short(packet);
  packet.at = at + length;
  const flags = flagsOf(view, at, packet.at);
  // Damaged on the air: whatever stands in it is not what was sent.
  if ((flags & Flag.BAD_CHECKSUM) !== 0) return Stop.DONE;
  if ((flags & Flag.CHECKSUM) !== 0) limitTo(packet, packet.sentEnd - CHECKSUM_LENGTH);
  return decodeIeee80211(packet, (flags & Flag.PADDED) !== 0 ? PADDED_TO : 1);
}

/** The flags field, 0 where there is none. Fields stand in the order of their presence bits, each aligned to its size. */
function flagsOf(view: DataView, start: number, end: number): number {
  const present = view.getInt32(start + PRESENT_AT, true);
  if ((present & Present.FLAGS) === 0) return 0;
  let at = start + PRESENT_AT;
  let word = present;
  while ((word & Present.MORE) !== 0) {
    at += WORD;
    if (end - at < WORD) return 0;
    word = view.getInt32(at, true);
  }
  at += WORD;
  if ((present & Present.TIME) !== 0) {
    at = start + ((at - start + TIME_LENGTH - 1) & -TIME_LENGTH) + TIME_LENGTH;
  }
  return at < end ? view.getUint8(at) : 0;
}
