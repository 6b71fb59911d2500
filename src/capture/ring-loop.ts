// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Delivery } from "./delivery.ts";
import { BlockState, type PacketRing } from "./tpacket.ts";

const BUSY_POLL_MS = 5;
const IDLE_POLL_MS = 20;
// A few milliseconds of packets; then timers and messages get their turn.
const BLOCKS_PER_TURN = 8;
const WATCH_INTERVAL_MS = 1000;

/**
 * Empties a ring until it is stopped. It looks for blocks 5 milliseconds after full ones, ever less often while
 * there are none, and every 20 milliseconds where time closes them; under load it hands over to the event loop
 * between turns.
 */
export class RingLoop {
  readonly #ring: PacketRing;
  readonly #delivery: Delivery;
  readonly #watch: () => void;
  #pollMs = IDLE_POLL_MS;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #watching: NodeJS.Timeout | undefined;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  /** `watch` is called once a second; what it throws ends the run. */
  constructor(ring: PacketRing, delivery: Delivery, watch: () => void) {
    this.#ring = ring;
    this.#delivery = delivery;
    this.#watch = watch;
  }

  /** Resolves when `stop` is called, rejects with what `watch` or the sink throws. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#watching = setInterval(() => this.#guarded(this.#watch), WATCH_INTERVAL_MS);
      this.#turn();
    });
  }

  /** May be called at any time, by the sink as well; no frame is delivered after it. */
  stop(): void {
    this.#halt();
    this.#resolve();
  }

  #halt(): void {
    this.#delivery.stopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    clearInterval(this.#watching);
  }

  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#halt();
      this.#reject(error);
    }
  }

  readonly #turn = (): void => this.#guarded(this.#deliver);

  readonly #deliver = (): void => {
    let seen: number = BlockState.NONE;
    for (let blocks = 0; blocks < BLOCKS_PER_TURN; blocks++) {
      const state = this.#ring.deliverBlock(this.#delivery);
      if (this.#delivery.stopped) return;
      if (state === BlockState.NONE) {
        this.#pollMs = nextPollMs(this.#pollMs, seen);
        this.#timer = setTimeout(this.#turn, this.#pollMs);
        return;
      }
      seen = Math.max(seen, state);
    }
    this.#immediate = setImmediate(this.#turn);
  };
}

function nextPollMs(pollMs: number, seen: number): number {
  if (seen === BlockState.FULL) return BUSY_POLL_MS;
  return seen === BlockState.TIMED_OUT ? IDLE_POLL_MS : Math.min(2 * pollMs, IDLE_POLL_MS);
}
