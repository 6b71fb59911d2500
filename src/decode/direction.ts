// SPDX-License-Identifier: AGPL-3.0-or-later
import { Direction } from "../capture/source.ts";
import { V4_MAPPED_WORD2 } from "../util/address.ts";
import { NamError } from "../util/errors.ts";
import { i32, u8 } from "../util/typed.ts";
import { type Network, parseNetwork } from "./cidr.ts";
import type { Packet } from "./packet.ts";

const { IN, OUT, UNKNOWN } = Direction;

/** Addresses whose answer a matcher remembers. */
const REMEMBERED_MAX = 8192;
/** What the first octet of an IPv4 address says: not home, home, or look at the networks from this one on. */
const OUTSIDE = 0;
const HOME = 1;
const LOOK_FROM = 2;
const MAX_OCTET_VALUE = 255;
const V4_WORDS = 2;
const V6_WORDS = 8;

/**
 * The networks on this side of the capture point, compiled to masks over the words of packets' addresses.
 * Throws CONFIG_INVALID for anything that is not an address or a CIDR network.
 */
export class HomeNetworks {
  readonly #octets = new Uint8Array(256);
  /** Mask and network, one pair a network. */
  readonly #v4: Int32Array;
  /** Four words of mask and four of network, one group a network. */
  readonly #v6: Int32Array;

  constructor(networks: readonly string[]) {
    const parsed = networks.map(networkOf);
    const v4 = parsed.filter(({ words }) => words.length === 1);
    this.#v4 = Int32Array.from(v4.flatMap(({ masks, words }) => [...masks, ...words]));
    const v6 = parsed.filter(({ words }) => words.length === 4);
    this.#v6 = Int32Array.from(v6.flatMap(({ masks, words }) => [...masks, ...words]));
    for (const [index, { masks, words }] of v4.entries()) {
      this.#markOctets(masks[0] ?? 0, words[0] ?? 0, index);
    }
  }

  /** True when an address, as four words, lies in one of the networks. */
  contains(word0: number, word1: number, word2: number, word3: number): boolean {
    if (word0 === 0 && word1 === 0 && word2 === V4_MAPPED_WORD2) return this.containsV4(word3);
    return this.#containsV6(word0, word1, word2, word3);
  }

  /** The same for an IPv4 address, by its one word. */
  containsV4(word: number): boolean {
    const octet = u8(this.#octets, word >>> 24);
    return octet < LOOK_FROM ? octet === HOME : this.#lookV4(word, octet - LOOK_FROM);
  }

  #lookV4(word: number, first: number): boolean {
    const table = this.#v4;
    for (let at = first * V4_WORDS; at < table.length; at += V4_WORDS) {
      if ((word & i32(table, at)) === i32(table, at + 1)) return true;
    }
    return false;
  }

  #containsV6(word0: number, word1: number, word2: number, word3: number): boolean {
    const table = this.#v6;
    for (let at = 0; at < table.length; at += V6_WORDS) {
      if (
        (word0 & i32(table, at)) === i32(table, at + 4) &&
        (word1 & i32(table, at + 1)) === i32(table, at + 5) &&
        (word2 & i32(table, at + 2)) === i32(table, at + 6) &&
        (word3 & i32(table, at + 3)) === i32(table, at + 7)
      ) {
        return true;
      }
    }
    return false;
  }

  /** Whole octets of the network are home; for the others the first network that reaches into them is kept. */
  #markOctets(mask: number, network: number, index: number): void {
    const wholeOctets = mask << 8 === 0;
    const look = Math.min(LOOK_FROM + index, MAX_OCTET_VALUE);
    for (let octet = 0; octet < this.#octets.length; octet++) {
      if ((((octet << 24) ^ network) & mask & 0xff000000) !== 0) continue;
      if (wholeOctets) this.#octets[octet] = HOME;
      else if (this.#octets[octet] === OUTSIDE) this.#octets[octet] = look;
    }
  }
}

/** The direction of an IP packet between home and the rest; traffic within either is UNKNOWN. */
export function directionOf(packet: Packet, home: HomeNetworks): number {
  const from = isFromHome(packet, home);
  const to = isToHome(packet, home);
  if (from === to) return UNKNOWN;
  return from ? OUT : IN;
}

function isFromHome(packet: Packet, home: HomeNetworks): boolean {
  if (packet.ipVersion === 4) return home.containsV4(packet.source3);
  return home.contains(packet.source0, packet.source1, packet.source2, packet.source3);
}

function isToHome(packet: Packet, home: HomeNetworks): boolean {
  if (packet.ipVersion === 4) return home.containsV4(packet.destination3);
  const { destination0, destination1, destination2, destination3 } = packet;
  return home.contains(destination0, destination1, destination2, destination3);
}

/** The same test for an address as text; text that is no address is not home. Throws like HomeNetworks. */
export function isHomeMatcher(networks: readonly string[]): (address: string) => boolean {
  const home = new HomeNetworks(networks);
  // Reading an address takes microseconds, and the same few are asked for every second.
  const known = new Map<string, boolean>();
  return (text) => {
    const remembered = known.get(text);
    if (remembered !== undefined) return remembered;
    if (known.size >= REMEMBERED_MAX) known.clear();
    const isHome = isInside(home, text);
    known.set(text, isHome);
    return isHome;
  };
}

function isInside(home: HomeNetworks, text: string): boolean {
  const network = parseNetwork(text);
  if (network === null) return false;
  const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = network.words;
  return network.words.length === 1
    ? home.containsV4(word0)
    : home.contains(word0, word1, word2, word3);
}

function networkOf(text: string): Network {
  const network = parseNetwork(text);
  if (network !== null) return network;
  throw new NamError(
    "CONFIG_INVALID",
    `home network "${text}" is neither an address nor a network such as 10.0.0.0/8 or fd00::/8`,
  );
}
