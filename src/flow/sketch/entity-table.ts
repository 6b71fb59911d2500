// SPDX-License-Identifier: AGPL-3.0-or-later
import { formatAddress } from "../../util/address.ts";
import { lastingF64, lastingI32, lastingU8 } from "../../util/lasting.ts";
import { f64, i32 } from "../../util/typed.ts";
import { hashKey, hashWords } from "../hash.ts";
import { BUCKET_WORDS, EntityBuckets, WAY_BITS, WAYS } from "./entity-buckets.ts";

/** Words of what is kept of an entity: when it was claimed first, the window it was claimed in last, its key, its row. */
const WINDOW = 2;
const KEY = 3;
/** A silence of this part of the time after which an entity is forgotten halves its weight. */
const HALVINGS = 30;
const MOST = 0x7fffffff;

export interface EntityTableOptions {
  /** Most entities: a power of two, at least 8. */
  readonly capacity: number;
  /** 32-bit words of a key. */
  readonly keyWords: number;
  /** Words of a row that start at 0 in every window, and then words that start at 0 with the entity. */
  readonly windowWords: number;
  readonly lifeWords?: number;
  /** Bytes for sketches, 0 at the entity's start: a multiple of eight. */
  readonly sketchBytes?: number;
  /** An entity that was silent for this long is forgotten; missing where the caller clears the table itself. */
  readonly idleMs?: number;
  readonly hashSeed: number;
  evicted(count: number): void;
}

/**
 * What a tracker keeps of each entity, in arrays that never grow. In a full bucket the entity with the least weight
 * makes room, its weight counting less the longer it has been silent: newcomers push out other newcomers, and not
 * who has shown something.
 */
export class EntityTable {
  /** Where the caller writes a key before `claim`. */
  readonly key: Int32Array;
  /** Holds the window and life words of each entity, from `row` on. */
  readonly rows: Int32Array;
  readonly sketches: Uint8Array;
  /** True when the last `claim` made a new entity. */
  isNew = false;
  readonly #evicted: (count: number) => void;
  readonly #windowWords: number = 0;
  /** Words from one entity to the next, and from there to its row. */
  readonly #stride: number = 0;
  readonly #rowAt: number = 0;
  readonly #sketchBytes: number = 0;
  readonly #secret: number = 0;
  readonly #bucketMask: number = 0;
  readonly #idleMs: number = Number.POSITIVE_INFINITY;
  readonly #capacity: number = 0;
  readonly #buckets: EntityBuckets;
  readonly #rowDoubles: Float64Array;
  readonly #sketchDoubles: Float64Array;
  readonly #claimed: Int32Array;
  readonly #ranking: Float64Array;
  #claimedCount = 0;
  #window = 1;
  #size = 0;
  /** No entity was last seen before this. */
  #oldestMs = Number.POSITIVE_INFINITY;

  constructor(options: EntityTableOptions) {
    const { capacity, keyWords, windowWords, lifeWords = 0, sketchBytes = 0 } = options;
    this.#idleMs = options.idleMs ?? Number.POSITIVE_INFINITY;
    // By itself, for the options of each table are an object of another shape.
    this.#evicted = options.evicted;
    this.#windowWords = windowWords;
    this.#rowAt = KEY + keyWords;
    // Even, so that the time at its start can be read as a double.
    this.#stride = (this.#rowAt + windowWords + lifeWords + 1) & ~1;
    this.#sketchBytes = sketchBytes;
    this.#secret = hashKey(options.hashSeed, "entity");
    this.#capacity = capacity;
    this.#bucketMask = capacity / WAYS - 1;
    this.key = new Int32Array(keyWords);
    this.rows = lastingI32(capacity * this.#stride);
    this.#rowDoubles = new Float64Array(this.rows.buffer);
    this.sketches = lastingU8(capacity * sketchBytes);
    this.#sketchDoubles = new Float64Array(this.sketches.buffer);
    this.#buckets = new EntityBuckets(capacity);
    this.#claimed = lastingI32(capacity);
    this.#ranking = lastingF64(capacity);
  }

  /** Entities held now. */
  get size(): number {
    return this.#size;
  }

  /** True for a slot that holds an entity. */
  isHeld(slot: number): boolean {
    return this.#buckets.isHeld(slot);
  }

  /** Packet time of the entity's first claim, in milliseconds, and of the last one. */
  firstMs(slot: number): number {
    return f64(this.#rowDoubles, (slot * this.#stride) >>> 1);
  }

  lastMs(slot: number): number {
    return this.#buckets.lastMs(slot);
  }

  /** Offset of a slot's row in `rows`. */
  row(slot: number): number {
    return slot * this.#stride + this.#rowAt;
  }

  /** Offset of a slot's bytes in `sketches`. */
  sketch(slot: number): number {
    return slot * this.#sketchBytes;
  }

  /** One word of a slot's key. */
  keyWord(slot: number, word: number): number {
    return i32(this.rows, slot * this.#stride + KEY + word);
  }

  /** Text of the address in the first four words of a slot's key. */
  address(slot: number): string {
    const word = (index: number): number => this.keyWord(slot, index);
    return formatAddress(word(0), word(1), word(2), word(3));
  }

  /** `row[column] += 1`, as far as a word can count. */
  increment(slot: number, column: number): void {
    this.add(slot, column, 1);
  }

  /** `row[column] += amount`, as far as a word can count. */
  add(slot: number, column: number, amount: number): void {
    const at = this.row(slot) + column;
    this.rows[at] = Math.min(i32(this.rows, at) + amount, MOST);
  }

  /** `row[column] = max(row[column], amount)` */
  raise(slot: number, column: number, amount: number): void {
    const at = this.row(slot) + column;
    if (amount > i32(this.rows, at)) this.rows[at] = amount;
  }

  /** One word of a slot's row. */
  value(slot: number, column: number): number {
    return i32(this.rows, this.row(slot) + column);
  }

  /** The first words of a slot's row by name. */
  named<Name extends string>(slot: number, names: readonly Name[]): Record<Name, number> {
    const named: Partial<Record<Name, number>> = {};
    for (const [column, name] of names.entries()) named[name] = this.value(slot, column);
    return named as Record<Name, number>;
  }

  /** Slot of the entity with the key in `key`, begun if need be; sets `isNew`. */
  claim(timeMs: number): number {
    const hash = this.#hash();
    let slot = this.#find(hash);
    this.isNew = slot < 0;
    if (slot < 0) {
      slot = this.#place(hash, timeMs);
      this.#begin(slot, hash, timeMs);
    }
    this.#buckets.setLastMs(slot, timeMs);
    if (timeMs < this.#oldestMs) this.#oldestMs = timeMs;
    if (i32(this.rows, slot * this.#stride + WINDOW) !== this.#window) this.#enterWindow(slot);
    return slot;
  }

  /** Slot of the entity with the key in `key`, -1 where there is none; it does not count as seen. */
  lookUp(): number {
    return this.#find(this.#hash());
  }

  /** Makes an entity harder to evict. */
  weigh(slot: number, amount: number): void {
    this.#buckets.weigh(slot, amount);
  }

  /** Slots claimed in this window with a score above 0, best first, at most `limit`. */
  best(limit: number, score: (slot: number) => number): number[] {
    const ranking = this.#ranking;
    const capacity = this.#capacity;
    let count = 0;
    for (let i = 0; i < this.#claimedCount; i++) {
      const slot = i32(this.#claimed, i);
      const points = score(slot);
      // One number holds both, so that the array sorts natively; at equal scores the lower slot comes first.
      if (points > 0) ranking[count++] = -points * capacity + slot;
    }
    const ranked = ranking.subarray(0, count).sort().subarray(0, limit);
    // A remainder is a double to the engine; everyone who is handed one would compute with doubles ever after.
    return Array.from(ranked, (rank) => (((rank % capacity) + capacity) % capacity) | 0);
  }

  /** Starts a new window and forgets who has been silent too long. */
  endWindow(timeMs: number): void {
    this.#window = (this.#window + 1) | 0;
    this.#claimedCount = 0;
    const oldest = timeMs - this.#idleMs;
    // Nearly every window: nobody can have been silent so long.
    if (this.#oldestMs >= oldest) return;
    this.#oldestMs = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (!this.isHeld(slot)) continue;
      const lastMs = this.lastMs(slot);
      if (lastMs >= oldest) {
        if (lastMs < this.#oldestMs) this.#oldestMs = lastMs;
        continue;
      }
      this.#buckets.free(slot);
      this.#size--;
    }
  }

  /** Forgets everybody and starts a new window. */
  clear(): void {
    if (this.#size > 0) this.#buckets.clear();
    this.#size = 0;
    this.#oldestMs = Number.POSITIVE_INFINITY;
    this.#window = (this.#window + 1) | 0;
    this.#claimedCount = 0;
  }

  #hash(): number {
    const hash = hashWords(this.key, this.#secret);
    return hash === 0 ? 1 : hash;
  }

  #find(hash: number): number {
    const { words } = this.#buckets;
    const bucket = hash & this.#bucketMask;
    const at = bucket * BUCKET_WORDS;
    for (let way = 0; way < WAYS; way++) {
      if (i32(words, at + way) !== hash) continue;
      const slot = (bucket << WAY_BITS) + way;
      if (this.#holdsKey(slot)) return slot;
    }
    return -1;
  }

  #holdsKey(slot: number): boolean {
    const { key, rows } = this;
    const at = slot * this.#stride + KEY;
    for (let word = 0; word < key.length; word++) {
      if (i32(rows, at + word) !== i32(key, word)) return false;
    }
    return true;
  }

  /** A free slot of the bucket, else the one worth least, and of equals the one silent for longest. */
  #place(hash: number, timeMs: number): number {
    const first = (hash & this.#bucketMask) << WAY_BITS;
    let least = first;
    let leastWorth = Number.POSITIVE_INFINITY;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (!this.isHeld(slot)) {
        this.#size++;
        return slot;
      }
      const worth = this.#worth(slot, timeMs);
      if (worth > leastWorth) continue;
      if (worth === leastWorth && this.lastMs(slot) >= this.lastMs(least)) continue;
      least = slot;
      leastWorth = worth;
    }
    this.#evicted(1);
    return least;
  }

  /** The weight, halved by a certain silence, a third of it after twice as long, and so on. */
  #worth(slot: number, timeMs: number): number {
    const silence = (timeMs - this.lastMs(slot)) / this.#idleMs;
    return this.#buckets.weight(slot) / (1 + HALVINGS * silence);
  }

  #begin(slot: number, hash: number, timeMs: number): void {
    const { key, rows } = this;
    const at = slot * this.#stride;
    this.#buckets.hold(slot, hash);
    this.#rowDoubles[at >>> 1] = timeMs;
    for (let word = 0; word < key.length; word++) rows[at + KEY + word] = i32(key, word);
    for (let word = at + this.#rowAt; word < at + this.#stride; word++) rows[word] = 0;
    // A loop, for `fill` clears shared memory byte by byte.
    const doubles = this.#sketchDoubles;
    const end = this.sketch(slot + 1) >>> 3;
    for (let i = this.sketch(slot) >>> 3; i < end; i++) doubles[i] = 0;
  }

  #enterWindow(slot: number): void {
    const { rows } = this;
    const at = this.row(slot);
    for (let word = at; word < at + this.#windowWords; word++) rows[word] = 0;
    rows[slot * this.#stride + WINDOW] = this.#window;
    this.#claimed[this.#claimedCount++] = slot;
  }
}
