// SPDX-License-Identifier: AGPL-3.0-or-later

/** Clients remembered at once; beyond, the one that was quiet longest is forgotten. */
const CLIENT_LIMIT = 1_024;

interface Bucket {
  tokens: number;
  updatedMs: number;
}

/** A token bucket for each client, in bounded memory. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  /** Least recently used first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Takes one token. Returns 0, or the seconds until the client may ask again. */
  take(client: string, nowMs: number): number {
    const bucket = this.#buckets.get(client) ?? { tokens: this.#burst, updatedMs: nowMs };
    this.#buckets.delete(client);
    this.#buckets.set(client, bucket);
    if (this.#buckets.size > CLIENT_LIMIT) this.#forgetOldest();
    const earned = ((nowMs - bucket.updatedMs) / 1000) * this.#perSecond;
    bucket.tokens = Math.min(this.#burst, bucket.tokens + earned);
    bucket.updatedMs = nowMs;
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / this.#perSecond);
    bucket.tokens--;
    return 0;
  }

  get size(): number {
    return this.#buckets.size;
  }

  #forgetOldest(): void {
    const oldest = this.#buckets.keys().next();
    if (!oldest.done) this.#buckets.delete(oldest.value);
  }
}
