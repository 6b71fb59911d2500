// SPDX-License-Identifier: AGPL-3.0-or-later
import { BoundedMap } from "./bounded-map.ts";
import type { Tick } from "./detector.ts";
import { Hysteresis } from "./guards.ts";

const OBVIOUS = 3;
/** In the first ticks all that was going on before looks as if it began now. */
const SETTLING_MS = 2000;

/** Says of rates whether they are above a floor for good: in 3 of 5 ticks, or at once where they are far above it. */
export class Surges {
  readonly #states: BoundedMap<Hysteresis>;
  readonly #obvious: number;

  /** `obvious`: so many times its floor and a rate needs no second tick to be believed. */
  constructor(capacity: number, obvious = OBVIOUS) {
    this.#states = new BoundedMap(capacity);
    this.#obvious = obvious;
  }

  /** Takes an entity's rate of one tick; true while it is a surge. */
  update(key: string, rate: number, floor: number, tick: Tick): boolean {
    if (rate < floor && !this.#states.peek(key)) return false;
    const lasting = this.#states.use(key, () => new Hysteresis()).update(rate, floor, floor / 2);
    return lasting || (rate >= this.#obvious * floor && tick.elapsedMs > SETTLING_MS);
  }
}
