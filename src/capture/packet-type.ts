// SPDX-License-Identifier: AGPL-3.0-or-later
import { Direction } from "./source.ts";

/** `sll_pkttype` values, packet(7). */
export const PacketType = {
  HOST: 0,
  BROADCAST: 1,
  MULTICAST: 2,
  OTHERHOST: 3,
  OUTGOING: 4,
} as const;

/** Direction that the kernel's packet type tells; a frame for some other host passed by, so it tells nothing. */
export function packetTypeDirection(packetType: number): number {
  if (packetType === PacketType.OUTGOING) return Direction.OUT;
  return packetType <= PacketType.MULTICAST ? Direction.IN : Direction.UNKNOWN;
}
