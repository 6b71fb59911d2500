// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../decode/packet.ts";

/** Words of a pair of addresses at the start of a key. */
export const PAIR_WORDS = 8;

/** Writes the packet's addresses into an entity key, the sender's first, or last where the pair `isTurned`. */
export function setPair(key: Int32Array, packet: Packet, isTurned: boolean): void {
  const source = isTurned ? 4 : 0;
  const destination = 4 - source;
  key[source] = packet.source0;
  key[source + 1] = packet.source1;
  key[source + 2] = packet.source2;
  key[source + 3] = packet.source3;
  key[destination] = packet.destination0;
  key[destination + 1] = packet.destination1;
  key[destination + 2] = packet.destination2;
  key[destination + 3] = packet.destination3;
}
