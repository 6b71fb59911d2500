// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { fault, LayerIndex, Stop } from "./protocol.ts";

/** `packet.fragment` values. */
export const Fragment = { WHOLE: 0, FIRST: 1, LATER: 2 } as const;

/**
 * Ends the packet's data where the IP header says that the datagram ends: what follows is padding. A datagram
 * that claims more bytes than the whole frame has is malformed, and taken for what the frame has.
 */
export function limitToDatagram(packet: Packet, sentEnd: number): void {
  if (sentEnd > packet.sentEnd) {
    fault(packet, LayerIndex.NETWORK, Stop.MALFORMED);
    return;
  }
  packet.sentEnd = sentEnd;
  if (sentEnd <= packet.end) {
    packet.end = sentEnd;
    packet.cut = false;
  }
}

/** For IP headers that leave their length open: the datagram takes the rest of the frame. */
export function limitToFrame(packet: Packet): void {
  if (!packet.cut) packet.sentEnd = packet.end;
}
