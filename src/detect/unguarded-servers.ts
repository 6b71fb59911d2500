// SPDX-License-Identifier: AGPL-3.0-or-later
import type { TrackerRows } from "../flow/window.ts";
import { scopeOf } from "../util/address-scope.ts";
import { BoundedMap } from "./bounded-map.ts";

/** From how far away somebody was served: values of the `exposure` label. */
export const EXPOSURES = ["public", "private", "loopback"] as const;
export type Exposure = (typeof EXPOSURES)[number];

type Row = TrackerRows["agent_talks"][number];

/** A server of agents or of a language model that served somebody without asking who that is. */
export interface UnguardedServer {
  readonly server: string;
  readonly port: number;
  readonly protocol: string;
  /** The farthest from where it did. */
  readonly exposure: Exposure;
  /** Who was served last from there. */
  readonly client: string;
  /** Requests served so since it was found. */
  readonly requests: number;
  /** When it last did so. */
  readonly lastMs: number;
}

const CAPACITY = 2048;

/** Remembers which of the operator's servers serve everybody, until they refuse somebody or have not done so for long. */
export class UnguardedServers {
  readonly #isHome: (address: string) => boolean;
  readonly #holdMs: number;
  readonly #servers = new BoundedMap<UnguardedServer>(CAPACITY);

  /** `holdSeconds`: for how long a server is remembered after it last served somebody unasked. */
  constructor(isHome: (address: string) => boolean, holdSeconds: number) {
    this.#isHome = isHome;
    this.#holdMs = holdSeconds * 1000;
  }

  /** Takes the rows of a window; returns all that serve everybody now. `timeMs` never goes back. */
  update(rows: readonly Row[], timeMs: number): UnguardedServer[] {
    for (const row of rows) this.#take(row, timeMs);
    const now: UnguardedServer[] = [];
    for (const [key, server] of [...this.#servers.entries()]) {
      if (timeMs - server.lastMs > this.#holdMs) this.#servers.delete(key);
      else now.push(server);
    }
    return now;
  }

  #take(row: Row, timeMs: number): void {
    const { client, server, port, protocol, denied } = row;
    if (scopeOf(server) === "public" && !this.#isHome(server)) return;
    const key = `${server} ${port} ${protocol}`;
    // An error in a good response means that nothing was done.
    const served = row.open - Math.min(row.open, row.errors);
    if (served === 0) {
      if (denied > 0) this.#servers.delete(key);
      return;
    }
    const before = this.#servers.peek(key);
    const exposure = this.#exposureOf(client, server);
    const isNearer =
      before !== undefined && EXPOSURES.indexOf(before.exposure) < EXPOSURES.indexOf(exposure);
    const now: UnguardedServer = {
      ...{ server, port, protocol, lastMs: timeMs },
      exposure: isNearer ? before.exposure : exposure,
      client: isNearer ? before.client : client,
      requests: (before?.requests ?? 0) + served,
    };
    this.#servers.delete(key);
    this.#servers.use(key, () => now);
  }

  #exposureOf(client: string, server: string): Exposure {
    if (scopeOf(server) === "loopback" || client === server) return "loopback";
    const scope = scopeOf(client);
    return scope === "public" && this.#isHome(client) ? "private" : scope;
  }
}
