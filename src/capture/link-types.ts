// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "./source.ts";

/** Name of a LINKTYPE_ value for reports: `ETHERNET`, or `LINKTYPE_<n>` where this product has no name for it. */
export function linkTypeName(value: number): string {
  for (const [name, known] of Object.entries(LinkType)) if (known === value) return name;
  return `LINKTYPE_${value}`;
}

// DLT_RAW is 12 on most systems and 14 on OpenBSD; old tools wrote these numbers into files where LINKTYPE_RAW
// belongs (https://www.tcpdump.org/linktypes.html).
const DLT_RAW = 12;
const DLT_RAW_OPENBSD = 14;

/** LINKTYPE_ value for a number that a file or libpcap gives as its data link type. */
export function linkTypeOf(dataLink: number): number {
  return dataLink === DLT_RAW || dataLink === DLT_RAW_OPENBSD ? LinkType.RAW : dataLink;
}

/** ARPHRD_ values of Linux interfaces, linux/if_arp.h. */
export const HardwareType = {
  ETHERNET: 1,
  PPP: 512,
  TUNNEL: 768,
  TUNNEL6: 769,
  LOOPBACK: 772,
  SIT: 776,
  IPGRE: 778,
  IEEE80211: 801,
  IEEE80211_PRISM: 802,
  IEEE80211_RADIOTAP: 803,
  IP6GRE: 823,
  RAWIP: 519,
  NONE: 65_534,
} as const;

/** LINKTYPE_USER0: delivered for link types that no table here knows, and counted as unsupported. */
export const UNKNOWN_LINK_TYPE = 147;

const LINK_TYPES_OF_HARDWARE: ReadonlyMap<number, number> = new Map([
  [HardwareType.ETHERNET, LinkType.ETHERNET],
  [HardwareType.LOOPBACK, LinkType.ETHERNET],
  [HardwareType.RAWIP, LinkType.RAW],
  [HardwareType.NONE, LinkType.RAW],
  [HardwareType.TUNNEL, LinkType.RAW],
  [HardwareType.TUNNEL6, LinkType.RAW],
  [HardwareType.SIT, LinkType.RAW],
  [HardwareType.IPGRE, LinkType.RAW],
  [HardwareType.IP6GRE, LinkType.RAW],
  [HardwareType.PPP, LinkType.PPP],
  [HardwareType.IEEE80211, LinkType.IEEE802_11],
  [HardwareType.IEEE80211_PRISM, LinkType.IEEE802_11_PRISM],
  [HardwareType.IEEE80211_RADIOTAP, LinkType.IEEE802_11_RADIOTAP],
]);

/** LINKTYPE_ value of the frames of a Linux interface. */
export function linkTypeOfHardware(hardwareType: number): number {
  return LINK_TYPES_OF_HARDWARE.get(hardwareType) ?? UNKNOWN_LINK_TYPE;
}
