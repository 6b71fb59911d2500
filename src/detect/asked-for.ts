// SPDX-License-Identifier: AGPL-3.0-or-later
import { BoundedMap } from "./bounded-map.ts";
import type { Tick } from "./detector.ts";
import { RecentSum } from "./recent-sum.ts";

const SECONDS = 60;
const PAIRS = 256;

/**
 * What the traffic of the last minute is made of, as far as it is in flows of some size. Bytes that servers send to
 * clients that connected to them were asked for, and what one pair exchanges is one transfer: no rise that is mostly
 * either needs a person.
 */
export class AskedFor {
  readonly #all = new RecentSum(SECONDS);
  readonly #down = new RecentSum(SECONDS);
  readonly #pairs = new BoundedMap<RecentSum>(PAIRS);
  #holds = false;

  /** True while most bytes are downloads, or of one pair. */
  get holds(): boolean {
    return this.#holds;
  }

  update({ window, elapsedMs }: Tick): void {
    let all = this.#all.add(0, elapsedMs);
    let down = this.#down.add(0, elapsedMs);
    for (const { client, server, upBytes, downBytes } of window.rows.volumes) {
      all = this.#all.add(upBytes + downBytes, elapsedMs);
      down = this.#down.add(downBytes, elapsedMs);
      const pair = this.#pairs.use(`${client} ${server}`, () => new RecentSum(SECONDS));
      pair.add(upBytes + downBytes, elapsedMs);
    }
    let largest = 0;
    for (const [, pair] of this.#pairs.entries()) {
      largest = Math.max(largest, pair.add(0, elapsedMs));
    }
    this.#holds = all > 0 && 2 * Math.max(down, largest) >= all;
  }
}
