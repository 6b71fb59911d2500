// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Window } from "../flow/window.ts";
import { BoundedMap } from "./bounded-map.ts";

const CAPACITY = 4096;
/** So many calls within this time show a program at work, in clear text as in TLS. */
const CALLS = 3;
const WINDOW_MS = 600_000;

/** Knows which hosts run agents now: by their calls to language models in TLS, and by those in clear text. */
export class ActiveAgents {
  /** When each of the last calls of a client was, the oldest first. */
  readonly #calls = new BoundedMap<number[]>(CAPACITY);
  #active: ReadonlySet<string> = new Set();
  #nowMs = 0;

  /** Takes a window; `timeMs` never goes back. */
  update({ rows }: Window, timeMs: number): void {
    this.#nowMs = timeMs;
    this.#active = new Set(
      (rows.ai_agents ?? []).filter(({ isActive }) => isActive).map(({ client }) => client),
    );
    for (const { client, calls } of rows.agent_talks) {
      if (calls === 0) continue;
      const times = this.#calls.use(client, () => []);
      for (let call = 0; call < Math.min(calls, CALLS); call++) times.push(timeMs);
      times.splice(0, Math.max(0, times.length - CALLS));
    }
  }

  has(client: string): boolean {
    if (this.#active.has(client)) return true;
    const times = this.#calls.peek(client) ?? [];
    const [oldest] = times;
    return times.length === CALLS && oldest !== undefined && this.#nowMs - oldest <= WINDOW_MS;
  }
}
