// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { f64, i32 } from "../../util/typed.ts";
import { type DnsMessage, dnsFactsOf } from "../dns-facts.ts";
import { hashBytes, hashKey } from "../hash.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import type { AiProviders } from "./providers.ts";

/** Pairs of a client and an address that it was told. */
const CAPACITY = 32_768;
/** How long an answer may name flows, whatever time to live it says. */
const LEAST_SECONDS = 60;
const MOST_SECONDS = 3600;
const ADDRESS_WORDS = 4;

/** Words of a pair: hash of the name asked for, row of its provider, and when it stops to count, in seconds. */
const NAME = 0;
const ROW = 1;
const EXPIRY = 2;
const LIFE_WORDS = 3;

/** What `find` says where nothing is known, and where several names lead to the address. */
export const NO_NAME = -2;
const AMBIGUOUS = -3;

/**
 * Which name each client asked for before it went to an address. Addresses are shared by many names: an answer counts
 * only while it is the one name that led this client there.
 */
export class DnsAnswers {
  readonly #providers: AiProviders;
  readonly #table: EntityTable;
  readonly #nameKey: number = 0;

  constructor(providers: AiProviders, hashSeed: number, evicted: (count: number) => void) {
    this.#providers = providers;
    this.#nameKey = hashKey(hashSeed, "dns answer");
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, keyWords: 2 * ADDRESS_WORDS, idleMs: MOST_SECONDS * 1000 },
      ...{ windowWords: 0, lifeWords: LIFE_WORDS, hashSeed, evicted },
    });
  }

  /** Pairs held now. */
  get size(): number {
    return this.#table.size;
  }

  /** Takes a packet with DNS messages. A response to which no query was seen before it is not believed. */
  onPacket(packet: Packet, timeMs: number): void {
    const dns = dnsFactsOf(packet);
    if (dns === undefined || packet.flowSide !== 1) return;
    for (let i = 0; i < dns.count; i++) {
      const message = dns.messages[i] as DnsMessage;
      if (message.isResponse && message.addresses.count > 0) this.#answer(packet, message, timeMs);
    }
  }

  /** Row of the provider whose one name led the packet's sender to its destination, -1 for a name of others, or NO_NAME. */
  find(packet: Packet, timeMs: number): number {
    const table = this.#table;
    const { key } = table;
    key[0] = packet.source0;
    key[1] = packet.source1;
    key[2] = packet.source2;
    key[3] = packet.source3;
    key[4] = packet.destination0;
    key[5] = packet.destination1;
    key[6] = packet.destination2;
    key[7] = packet.destination3;
    const slot = table.lookUp();
    if (slot < 0 || this.#isOver(slot, timeMs)) return NO_NAME;
    const row = table.value(slot, ROW);
    return row === AMBIGUOUS ? NO_NAME : row;
  }

  /** Ends a window. */
  close(timeMs: number): void {
    this.#table.endWindow(timeMs);
  }

  #answer(packet: Packet, { name, addresses }: DnsMessage, timeMs: number): void {
    const hash = hashBytes(name.bytes, 0, name.length, this.#nameKey);
    const row = this.#providers.find(name.text());
    const { key } = this.#table;
    key[0] = packet.destination0;
    key[1] = packet.destination1;
    key[2] = packet.destination2;
    key[3] = packet.destination3;
    for (let i = 0; i < addresses.count; i++) {
      for (let word = 0; word < ADDRESS_WORDS; word++) {
        key[ADDRESS_WORDS + word] = i32(addresses.words, i * ADDRESS_WORDS + word);
      }
      const seconds = Math.min(Math.max(f64(addresses.seconds, i), LEAST_SECONDS), MOST_SECONDS);
      this.#keep(hash, row, secondsOf(timeMs) + seconds, timeMs);
    }
  }

  #keep(name: number, row: number, expiry: number, timeMs: number): void {
    const table = this.#table;
    const slot = table.claim(timeMs);
    const at = table.row(slot);
    const { rows } = table;
    const isFresh = table.isNew || this.#isOver(slot, timeMs);
    const isOther = !isFresh && i32(rows, at + NAME) !== name;
    if (isOther) rows[at + ROW] = AMBIGUOUS;
    else if (isFresh) rows[at + ROW] = row;
    rows[at + NAME] = name;
    rows[at + EXPIRY] = isFresh ? expiry : Math.max(expiry, i32(rows, at + EXPIRY));
  }

  #isOver(slot: number, timeMs: number): boolean {
    return this.#table.value(slot, EXPIRY) <= secondsOf(timeMs);
  }
}

function secondsOf(timeMs: number): number {
  return Math.trunc(timeMs / 1000);
}
