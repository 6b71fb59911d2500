// SPDX-License-Identifier: AGPL-3.0-or-later

/** Tokens that refill evenly up to a capacity. Times are monotonic milliseconds and never go back. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #perMs: number;
  #tokens: number;
  #atMs: number;

  /** Full, or with `tokens` in it. */
  constructor(capacity: number, perSecond: number, nowMs: number, tokens = capacity) {
    this.#capacity = capacity;
    this.#perMs = perSecond / 1_000;
    this.#tokens = Math.min(capacity, Math.max(0, tokens));
    this.#atMs = nowMs;
  }

  level(nowMs: number): number {
    this.#tokens = Math.min(
      this.#capacity,
      this.#tokens + Math.max(0, nowMs - this.#atMs) * this.#perMs,
    );
    this.#atMs = Math.max(this.#atMs, nowMs);
    return this.#tokens;
  }

  /** Lets no token come for the time since the last look. */
  pause(nowMs: number): void {
    this.#atMs = Math.max(this.#atMs, nowMs);
  }

  /** Takes one token, or what is left of it. */
  take(nowMs: number): void {
    this.#tokens = Math.max(0, this.level(nowMs) - 1);
  }

  /** When a whole token will be there; `nowMs` if it is now. */
  readyMs(nowMs: number): number {
    const missing = 1 - this.level(nowMs);
    return missing <= 0 ? nowMs : nowMs + missing / this.#perMs;
  }
}
