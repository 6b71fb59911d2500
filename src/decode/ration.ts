// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";

/** How often slow work may be done in one second of packet time, so that nobody can make a sensor busy with it. */
export class Ration {
  readonly #perSecond: number = 0;
  #second = 0;
  #left = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** True when the work may be done now; the caller counts it as skipped otherwise. `cost`: in units of usual work. */
  take(packet: Packet, cost = 1): boolean {
    if (packet.seconds !== this.#second) {
      this.#second = packet.seconds;
      this.#left = this.#perSecond;
    }
    if (this.#left < cost) return false;
    this.#left -= cost;
    return true;
  }
}
