// SPDX-License-Identifier: AGPL-3.0-or-later

/** Where time comes from; injected, so that tests and replay decide what "now" is. */
export interface Clock {
  /** Wall clock, milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Monotonic milliseconds with a fraction, for durations only. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`; the returned function cancels. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's own clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
