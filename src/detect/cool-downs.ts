// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import type { Moment } from "./incident.ts";
import { pseudonymOf } from "./pseudonym.ts";

/** Entities whose cool-down is remembered; the oldest is forgotten first. */
const CAPACITY = 4096;

/** What is kept over a restart: by a pseudonym of detector and entity, until when in packet time, and how bad it was. */
export const coolDownsMemory = z
  .array(z.tuple([z.string(), z.number(), z.int().min(0)]))
  .max(CAPACITY);
type Memory = z.infer<typeof coolDownsMemory>;

interface Cooling {
  readonly untilMs: number;
  readonly rank: number;
}

/** How long what was told and is over stays untold, unless it comes back worse. Ranks are of severities. */
export class CoolDowns {
  /** By pseudonym of the key: entities may have names. */
  readonly #cooling = new Map<string, Cooling>();
  #recalled: Memory = [];
  #now: Pick<Moment, "timeMs" | "elapsedMs"> = { timeMs: 0, elapsedMs: 0 };

  /** From `moment` on for so many milliseconds. */
  begin(key: string, rank: number, moment: Moment, lengthMs: number): void {
    this.#keep(pseudonymOf(key), { untilMs: moment.elapsedMs + lengthMs, rank });
  }

  /** True while it cools down; what is worse than it was ends that. */
  holds(key: string, rank: number, { elapsedMs }: Moment): boolean {
    if (this.#cooling.size === 0) return false;
    const pseudonym = pseudonymOf(key);
    const cooling = this.#cooling.get(pseudonym);
    if (!cooling) return false;
    if (elapsedMs < cooling.untilMs && rank <= cooling.rank) return true;
    this.#cooling.delete(pseudonym);
    return false;
  }

  /** What still cools down. */
  remember(): Memory {
    const { timeMs, elapsedMs } = this.#now;
    const cooling = [...this.#cooling].filter(([, { untilMs }]) => untilMs > elapsedMs);
    return [
      ...this.#recalled,
      ...cooling.map(([key, { untilMs, rank }]): Memory[number] => [
        key,
        untilMs - elapsedMs + timeMs,
        rank,
      ]),
    ].slice(-CAPACITY);
  }

  /** Goes on from there with the next tick: only then is it known what time it is. */
  recall(memory: Memory): void {
    this.#recalled = memory;
  }

  /** Once a tick. Nothing recalled lasts longer than `longestMs` from now, whatever the clock did meanwhile. */
  settle(now: Moment, longestMs: number): void {
    this.#now = now;
    if (this.#recalled.length === 0) return;
    for (const [key, untilMs, rank] of this.#recalled) {
      const leftMs = Math.min(untilMs - now.timeMs, longestMs);
      if (leftMs > 0) this.#keep(key, { untilMs: now.elapsedMs + leftMs, rank });
    }
    this.#recalled = [];
  }

  #keep(key: string, cooling: Cooling): void {
    const [oldest] = this.#cooling.keys();
    if (this.#cooling.size >= CAPACITY && oldest !== undefined) this.#cooling.delete(oldest);
    this.#cooling.set(key, cooling);
  }
}
