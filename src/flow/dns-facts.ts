// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet, PacketFacts } from "../decode/packet.ts";

export type DnsFacts = NonNullable<PacketFacts["dns"]>;
export type DnsMessage = DnsFacts["messages"][number];

/** The DNS messages of this packet, undefined where it has none. */
export function dnsFactsOf(packet: Packet): DnsFacts | undefined {
  const { dns } = packet.facts;
  return dns !== undefined && dns.packet === packet.number ? dns : undefined;
}
