// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";

/**
 * Ends the packet's data where a header says that its payload ends: what follows is padding or a trailer. A header
 * that claims more than there is changes nothing.
 */
export function limitTo(packet: Packet, sentEnd: number): void {
  if (sentEnd >= packet.sentEnd) return;
  packet.sentEnd = sentEnd;
  if (sentEnd > packet.end) return;
  packet.end = sentEnd;
  packet.cut = false;
}
