// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Clock } from "./util/clock.ts";

/** Shorter waits are not worth a timer. */
const SHORTEST_WAIT_MS = 2;
/** A gap that is no gap but a changed clock: the replay does not wait for it. */
const LEAP_MS = 86_400_000;

/** Plays packets at the pace they were captured at, or at a multiple of it. */
export class Pacer {
  readonly #speed: number;
  readonly #clock: Clock;
  /** Where packet time and wall clock were last set equal. */
  #anchorPacketMs = Number.NaN;
  #anchorWallMs = 0;
  #lastPacketMs = Number.NaN;

  constructor(speed: number, clock: Clock) {
    this.#speed = speed;
    this.#clock = clock;
  }

  /** Milliseconds until a packet of this time is due; 0 for one that is due or overdue. */
  waitMs(packetMs: number): number {
    const sinceLastMs = packetMs - this.#lastPacketMs;
    this.#lastPacketMs = packetMs;
    const nowMs = this.#clock.monotonicMs();
    if (!(Math.abs(sinceLastMs) < LEAP_MS)) {
      this.#anchorPacketMs = packetMs;
      this.#anchorWallMs = nowMs;
      return 0;
    }
    const waitMs = this.#anchorWallMs + (packetMs - this.#anchorPacketMs) / this.#speed - nowMs;
    return waitMs < SHORTEST_WAIT_MS ? 0 : waitMs;
  }
}
