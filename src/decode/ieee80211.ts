// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../capture/source.ts";
import { LLC_KEY } from "./llc.ts";
import type { Packet } from "./packet.ts";
import { limitTo } from "./payload-limit.ts";
import { type HeaderProtocol, linkKey, Stop, short } from "./protocol.ts";

const FLAGS_AT = 1;
const SEQUENCE_AT = 22;
const MIN_LENGTH = 2;
const DATA_HEADER_LENGTH = 24;
const ADDRESS_LENGTH = 6;
const QOS_LENGTH = 2;
const HT_CONTROL_LENGTH = 4;
const AGGREGATE_HEADER_LENGTH = 14;
const AGGREGATE_LENGTH_AT = 12;

// IEEE 802.11-2020 §9.2.4.1: frame control, least significant bits first.
const VERSION_MASK = 0x03;
const TYPE_MASK = 0x0c;
const TYPE_DATA = 0x08;
const SUBTYPE_NO_DATA = 0x40;
const SUBTYPE_QOS = 0x80;
const Flag = { BOTH_WAYS: 0x03, MORE_FRAGMENTS: 0x04, PROTECTED: 0x40, HT_CONTROL: 0x80 } as const;
const FRAGMENT_NUMBER = 0x0f;
const QOS_AGGREGATE = 0x80;

export const IEEE80211_KEY = linkKey(LinkType.IEEE802_11);

/**
 * IEEE 802.11. Data that is not encrypted is read on; management, control and encrypted frames end here. Of an
 * aggregate (A-MSDU) the first packet is read, because a frame counts once.
 */
export const ieee80211: HeaderProtocol = {
  name: "ieee80211",
  help: "IEEE 802.11",
  layer: "link",
  keys: [IEEE80211_KEY],
  create: () => (packet) => decodeIeee80211(packet, 1),
};

/** The same where the header is padded to a multiple of `alignment` bytes, as some adapters do. */
export function decodeIeee80211(packet: Packet, alignment: number): number {
  const { view, at } = packet;
  if (packet.end - at < MIN_LENGTH) return short(packet);
  const control = view.getUint8(at);
  const flags = view.getUint8(at + FLAGS_AT);
  if ((control & VERSION_MASK) !== 0) return Stop.UNSUPPORTED;
  const carriesData = (control & TYPE_MASK) === TYPE_DATA && (control & SUBTYPE_NO_DATA) === 0;
  if (!carriesData || (flags & Flag.PROTECTED) !== 0) return Stop.DONE;
  const hasQos = (control & SUBTYPE_QOS) !== 0;
  const qosAt =
    DATA_HEADER_LENGTH + ((flags & Flag.BOTH_WAYS) === Flag.BOTH_WAYS ? ADDRESS_LENGTH : 0);
  let length = qosAt;
  if (hasQos) length += QOS_LENGTH + ((flags & Flag.HT_CONTROL) !== 0 ? HT_CONTROL_LENGTH : 0);
  length = (length + alignment - 1) & -alignment;
  if (packet.end - at < length) return short(packet);
  const isPart =
    (flags & Flag.MORE_FRAGMENTS) !== 0 ||
    (view.getUint8(at + SEQUENCE_AT) & FRAGMENT_NUMBER) !== 0;
  if (isPart) return Stop.UNSUPPORTED;
  packet.at = at + length;
  const isAggregate = hasQos && (view.getUint8(at + qosAt) & QOS_AGGREGATE) !== 0;
  return isAggregate ? firstOfAggregate(packet) : LLC_KEY;
}

function firstOfAggregate(packet: Packet): number {
  const { view, at } = packet;
  if (packet.end - at < AGGREGATE_HEADER_LENGTH) return short(packet);
  packet.at = at + AGGREGATE_HEADER_LENGTH;
  limitTo(packet, packet.at + view.getUint16(at + AGGREGATE_LENGTH_AT));
  return LLC_KEY;
}
