// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { fault, LayerIndex, Stop } from "./protocol.ts";

/** `packet.fragment` values. */
export const Fragment = { WHOLE: 0, FIRST: 1, LATER: 2 } as const;

/**
 * Ends the packet's data where the IP header says that the datagram ends: what follows is padding. A datagram
 * that claims more bytes than a whole frame holds is malformed, and read as far as it goes.
 */
export function limitToDatagram(packet: Packet, sentEnd: number): void {
  packet.sentEnd = sentEnd;
  if (sentEnd <= packet.end) {
    packet.end = sentEnd;
    packet.cut = false;
  } else if (!packet.cut) {
    fault(packet, LayerIndex.NETWORK, Stop.MALFORMED);
  }
}

/** For IP headers that leave their length open: the datagram takes the rest of the frame. */
export function limitToFrame(packet: Packet): void {
  if (!packet.cut) packet.sentEnd = packet.end;
}
