// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Tick } from "./detector.ts";
import { pseudonymOf } from "./pseudonym.ts";
import { RecentSums } from "./recent-sums.ts";

const CLIENTS = 4096;
const DESTINATIONS = 32_768;
const DAY_MS = 86_400_000;
const PARTS = 24;

export interface NoveltySettings {
  readonly after_seconds: number;
  readonly learn_seconds: number;
  readonly known_seconds: number;
}

/** A destination that is new to a client. */
export interface Novelty {
  /** Probability that the client goes somewhere new within `after_seconds`, by how often it did in the last day. */
  readonly chance: number;
  /** How long the client has been known. */
  readonly learnedSeconds: number;
}

interface Client {
  readonly firstMs: number;
  readonly news: RecentSums<"news">;
}

/**
 * What is kept of novelties over a restart: by client, for how long it has been known and how often it went somewhere new
 * in the last day; by client and destination, both hidden, how long ago it was there. Ages in milliseconds.
 */
export const noveltiesMemory = z.strictObject({
  clients: z.array(z.tuple([z.string(), z.tuple([z.number(), z.number()])])).max(CLIENTS),
  seen: z.array(z.tuple([z.string(), z.number()])).max(DESTINATIONS),
});

/** Where each client has been, and how often it goes somewhere new. */
export class Novelties {
  readonly #settings: NoveltySettings;
  readonly #clients = new BoundedMap<Client>(CLIENTS);
  /** When each client was last at each destination, by a pseudonym of both. */
  readonly #lastMs = new BoundedMap<{ lastMs: number }>(DESTINATIONS);

  constructor(settings: NoveltySettings) {
    this.#settings = settings;
  }

  /** What would be new again is left out. */
  remember(now: number): z.infer<typeof noveltiesMemory> {
    const knownMs = this.#settings.known_seconds * 1000;
    return {
      clients: this.#clients.remember(({ firstMs, news }) => [now - firstMs, news.total("news")]),
      seen: this.#lastMs
        .remember(({ lastMs }) => now - lastMs)
        .filter(([, ageMs]) => ageMs <= knownMs),
    };
  }

  /** Goes on from there; the time between counts for nothing. */
  recall({ clients, seen }: z.infer<typeof noveltiesMemory>, now: number): void {
    this.#clients.recall(clients, ([ageMs, count]) => {
      const news = new RecentSums(["news"] as const, DAY_MS, PARTS);
      // When in the day it was is not kept: for a day the client is held to be more restless than it is.
      news.add(now, { news: count });
      return { firstMs: now - ageMs, news };
    });
    this.#lastMs.recall(seen, (ageMs) => ({ lastMs: now - ageMs }));
  }

  /** A client is at a destination; returns a novelty where it never was before, once its habits are known. */
  see(
    { client, destination }: { readonly client: string; readonly destination: string },
    { elapsedMs, tainted }: Tick,
  ): Novelty | undefined {
    // What is seen with losses might have been there before, unseen.
    if (tainted) return undefined;
    const own = this.#settings;
    const key = pseudonymOf(`${client} ${destination}`);
    const known = this.#lastMs.peek(key);
    const isKnown = known !== undefined && elapsedMs - known.lastMs <= own.known_seconds * 1000;
    this.#lastMs.use(key, () => ({ lastMs: elapsedMs })).lastMs = elapsedMs;
    const habits = this.#clients.use(client, () => ({
      firstMs: elapsedMs,
      news: new RecentSums(["news"] as const, DAY_MS, PARTS),
    }));
    if (isKnown) return undefined;
    habits.news.advance(elapsedMs);
    const chance = this.#chance(habits, elapsedMs);
    habits.news.add(elapsedMs, { news: 1 });
    const learnedSeconds = (elapsedMs - habits.firstMs) / 1000;
    return learnedSeconds < own.learn_seconds ? undefined : { chance, learnedSeconds };
  }

  /** Of new destinations that come at random. */
  #chance({ firstMs, news }: Client, elapsedMs: number): number {
    const observedMs = Math.max(1000, Math.min(elapsedMs - firstMs, DAY_MS));
    const expected = (news.total("news") * this.#settings.after_seconds * 1000) / observedMs;
    return 1 - Math.exp(-expected);
  }
}
