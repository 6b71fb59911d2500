// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet, PacketFacts } from "./packet.ts";
import { Stop, short } from "./protocol.ts";

declare module "./packet.ts" {
  interface PacketFacts {
    /** The last neighbor discovery message read; this packet's while `neighbor.packet === packet.number`. */
    readonly neighbor?: Readonly<NeighborFacts>;
  }
}

/** What a neighbor discovery message tells, for trackers. Offsets are into `packet.view`, -1 for what is not there. */
export interface NeighborFacts {
  packet: number;
  /** ICMPv6 type: 133 and 134 router solicitation and advertisement, 135 and 136 neighbor's, 137 redirect. */
  type: number;
  /** Router advertisement: how long it is a default router, 0 for one that is none. */
  lifetimeSeconds: number;
  /** Router advertisement: managed and other configuration (0x80, 0x40) and preference (0x18), RFC 4191 §2.2. */
  routerFlags: number;
  /** Neighbor advertisement: router, solicited, override (0x80, 0x40, 0x20). */
  neighborFlags: number;
  /** The 16 bytes of the address that the message is about; -1 in router messages. */
  targetAt: number;
  /** The six bytes of the sender's, or the target's, link-layer address. */
  sourceLinkAt: number;
  targetLinkAt: number;
  /** First prefix of a router advertisement: its 16 bytes, its length in bits, and how long it is valid. */
  prefixAt: number;
  prefixLength: number;
  prefixLifetimeSeconds: number;
}

const Type = {
  ROUTER_SOLICITATION: 133,
  ROUTER_ADVERTISEMENT: 134,
  NEIGHBOR_SOLICITATION: 135,
  NEIGHBOR_ADVERTISEMENT: 136,
  REDIRECT: 137,
} as const;
/** Where the options begin, by type, RFC 4861 §4. */
const OPTIONS_AT = [8, 16, 24, 24, 40] as const;
const FLAGS_AT = 5;
const NEIGHBOR_FLAGS_AT = 4;
const LIFETIME_AT = 6;
const TARGET_AT = 8;
const OPTION_UNIT = 8;
const Option = { SOURCE_LINK: 1, TARGET_LINK: 2, PREFIX: 3 } as const;
const PREFIX_UNITS = 4;
const PREFIX_LENGTH_AT = 2;
const PREFIX_LIFETIME_AT = 4;
const PREFIX_AT = 16;

/** Reads neighbor discovery (RFC 4861) and leaves its facts in the packet. */
export class NeighborDiscovery {
  readonly #facts: NeighborFacts = {
    packet: -1,
    type: 0,
    lifetimeSeconds: 0,
    routerFlags: 0,
    neighborFlags: 0,
    targetAt: -1,
    sourceLinkAt: -1,
    targetLinkAt: -1,
    prefixAt: -1,
    prefixLength: 0,
    prefixLifetimeSeconds: 0,
  };

  constructor(facts: Partial<PacketFacts>) {
    Object.assign(facts, { neighbor: this.#facts });
  }

  /** Reads the message at `at`; returns a Stop. Facts are the packet's only if the message is whole. */
  read(packet: Packet, at: number): number {
    const { view, icmpType: type } = packet;
    const optionsAt = at + (OPTIONS_AT[type - Type.ROUTER_SOLICITATION] as number);
    if (packet.end < optionsAt) return short(packet);
    const facts = this.#facts;
    const isAdvertisement = type === Type.ROUTER_ADVERTISEMENT;
    facts.type = type;
    facts.lifetimeSeconds = isAdvertisement ? view.getUint16(at + LIFETIME_AT) : 0;
    facts.routerFlags = isAdvertisement ? view.getUint8(at + FLAGS_AT) : 0;
    facts.neighborFlags =
      type === Type.NEIGHBOR_ADVERTISEMENT ? view.getUint8(at + NEIGHBOR_FLAGS_AT) : 0;
    facts.targetAt = type >= Type.NEIGHBOR_SOLICITATION ? at + TARGET_AT : -1;
    facts.sourceLinkAt = -1;
    facts.targetLinkAt = -1;
    facts.prefixAt = -1;
    facts.prefixLength = 0;
    facts.prefixLifetimeSeconds = 0;
    const stop = this.#options(packet, optionsAt);
    if (stop === Stop.DONE) facts.packet = packet.number;
    return stop;
  }

  #options(packet: Packet, from: number): number {
    const { view, end } = packet;
    let at = from;
    while (end - at >= OPTION_UNIT) {
      const units = view.getUint8(at + 1);
      // RFC 4861 §4.6: a node must discard a message with an option of length 0.
      if (units === 0) return Stop.MALFORMED;
      const length = units * OPTION_UNIT;
      if (end - at < length) return short(packet);
      this.#option(view, at, units);
      at += length;
    }
    return at === packet.sentEnd ? Stop.DONE : short(packet);
  }

  #option(view: DataView, at: number, units: number): void {
    const facts = this.#facts;
    switch (view.getUint8(at)) {
      case Option.SOURCE_LINK:
        facts.sourceLinkAt = at + 2;
        break;
      case Option.TARGET_LINK:
        facts.targetLinkAt = at + 2;
        break;
      case Option.PREFIX:
        if (units !== PREFIX_UNITS || facts.prefixAt >= 0) return;
        facts.prefixAt = at + PREFIX_AT;
        facts.prefixLength = view.getUint8(at + PREFIX_LENGTH_AT);
        facts.prefixLifetimeSeconds = view.getUint32(at + PREFIX_LIFETIME_AT);
        break;
      default:
    }
  }
}
