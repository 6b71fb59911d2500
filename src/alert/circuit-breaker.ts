// SPDX-License-Identifier: AGPL-3.0-or-later

const FAILURES_TO_OPEN = 5;
const FIRST_PROBE_MS = 30_000;
const PROBE_MAX_MS = 600_000;

/**
 * Leaves a channel alone that keeps failing. After 5 failures in a row it opens; then one attempt is allowed after
 * 30 s, and after each that fails, twice as long later, at most 10 minutes. Times are monotonic milliseconds.
 */
export class CircuitBreaker {
  #failures = 0;
  #probeMs = 0;
  #openings = 0;

  get isOpen(): boolean {
    return this.#failures >= FAILURES_TO_OPEN;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** From when the next attempt is allowed; 0 while the circuit is closed. */
  get readyMs(): number {
    return this.isOpen ? this.#probeMs : 0;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openings = 0;
  }

  failed(nowMs: number): void {
    this.#failures++;
    if (!this.isOpen) return;
    this.#probeMs = nowMs + Math.min(PROBE_MAX_MS, FIRST_PROBE_MS * 2 ** this.#openings);
    this.#openings++;
  }
}
