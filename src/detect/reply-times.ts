// SPDX-License-Identifier: AGPL-3.0-or-later
import type { TrackerRows } from "../flow/window.ts";
import { BoundedMap } from "./bounded-map.ts";

const CAPACITY = 4096;
const MOST_REPLIES = 64;

/** When models' last replies to each client ended: what the client does next may be what they told it to. */
export class ReplyTimes {
  readonly #ends = new BoundedMap<number[]>(CAPACITY);
  readonly #keptMs: number;

  /** Replies are remembered for `keptMs` after the last one. */
  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** Takes a window; returns the clients to which a reply ended in it. */
  update({ ai_agents }: TrackerRows): string[] {
    return ai_agents.flatMap(({ client, repliedMs }) => {
      if (repliedMs === 0) return [];
      const ends = this.#ends.use(client, () => []);
      ends.push(repliedMs);
      while (ends.length > MOST_REPLIES || (ends[0] ?? 0) < repliedMs - this.#keptMs) ends.shift();
      return [client];
    });
  }

  /** Ends of the last replies to a client, milliseconds of flow time. */
  of(client: string): readonly number[] {
    return this.#ends.peek(client) ?? [];
  }

  /** True where the time is within so many milliseconds after the end of a reply. */
  isAfter(client: string, timeMs: number, withinMs: number): boolean {
    return this.of(client).some((endMs) => timeMs >= endMs && timeMs - endMs <= withinMs);
  }
}
