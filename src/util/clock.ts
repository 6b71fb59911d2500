// SPDX-License-Identifier: AGPL-3.0-or-later

/** Where time comes from; injected, so that tests and replay decide what "now" is. */
export interface Clock {
  /** Wall clock, milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Monotonic milliseconds with a fraction, for durations only. */
  monotonicMs(): number;
  /**
   * Calls back once after `delayMs`; the returned function cancels. The wait keeps the process alive only with
   * `keepAlive`, which is for work that must end before the process does.
   */
  after(delayMs: number, callback: () => void, keepAlive?: boolean): () => void;
}

/** The longest wait a Node.js timer can hold; beyond it, it would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback, keepAlive = false) {
    const timer = setTimeout(callback, Math.min(delayMs, TIMER_MAX_MS));
    if (!keepAlive) timer.unref();
    return () => clearTimeout(timer);
  },
};
