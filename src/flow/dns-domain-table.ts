// SPDX-License-Identifier: AGPL-3.0-or-later
import type { DnsMessage } from "./dns-facts.ts";
import { hashBytes, hashKey } from "./hash.ts";
import { EntityTable } from "./sketch/entity-table.ts";
import { FADING_BYTES, isSpanOver, observeFading, turnFading } from "./sketch/fading-distinct.ts";
import type { TrackerContext } from "./tracker.ts";

const DOMAIN_WORDS = 2;

export interface DnsDomainOptions {
  readonly name: string;
  readonly capacity: number;
  readonly idleMs: number;
  /** Words of the key in front of the domain's, which the caller writes. */
  readonly ownerWords: number;
  readonly windowWords: number;
  /** Distinct counts of an entity, the first one that of subdomains, and the time after which they begin anew. */
  readonly sketches: number;
  readonly spanMs: number;
}

/** Entities that have a registrable domain in their key: it is known by its hash, its text is made once. */
export class DnsDomainTable {
  readonly entities: EntityTable;
  /** For hashes of the tracker's own. */
  readonly hashKey: number = 0;
  readonly #options: DnsDomainOptions;
  readonly #otherKey: number = 0;
  /** By slot. */
  readonly #names: string[];

  constructor(options: DnsDomainOptions, { hashSeed, evicted }: TrackerContext) {
    const { name, capacity, idleMs, ownerWords, windowWords, sketches } = options;
    this.#options = options;
    this.hashKey = hashKey(hashSeed, name);
    this.#otherKey = hashKey(hashSeed, `${name}, second word`);
    this.#names = new Array<string>(capacity).fill("");
    this.entities = new EntityTable({
      ...{ capacity, idleMs, hashSeed, evicted, windowWords, lifeWords: 1 },
      ...{ keyWords: ownerWords + DOMAIN_WORDS, sketchBytes: sketches * FADING_BYTES },
    });
  }

  /** Slot of the message's domain, which begins at `domainAt` of its name, and of the owner in the key's first words. */
  claim({ name }: DnsMessage, domainAt: number, timeMs: number): number {
    const table = this.entities;
    const { ownerWords, windowWords, sketches, spanMs } = this.#options;
    table.key[ownerWords] = hashBytes(name.bytes, domainAt, name.length, this.hashKey);
    table.key[ownerWords + 1] = hashBytes(name.bytes, domainAt, name.length, this.#otherKey);
    const slot = table.claim(timeMs);
    if (table.isNew) this.#names[slot] = name.text(domainAt);
    table.weigh(slot, 1);
    const spanAt = table.row(slot) + windowWords;
    if (isSpanOver(table.rows, spanAt, table.isNew, timeMs, spanMs)) {
      for (let i = 0; i < sketches; i++) {
        turnFading(table.sketches, table.sketch(slot) + i * FADING_BYTES);
      }
    }
    return slot;
  }

  /** Counts what stands in front of the domain among the distinct subdomains. */
  observeSubdomain(slot: number, { name }: DnsMessage, domainAt: number): void {
    const table = this.entities;
    const hash = hashBytes(name.bytes, 0, domainAt, this.hashKey);
    observeFading(table.sketches, table.sketch(slot), hash);
  }

  /** Text of a slot's domain. */
  domain(slot: number): string {
    return this.#names[slot] as string;
  }
}
