// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Tick } from "./detector.ts";

const CAPACITY = 16_384;
const DAY = 24 * 3600;

/** Settings of what is learned, told for a while, and forgotten. */
export const sightSettings = {
  learn_seconds: z
    .number()
    .min(1)
    .default(DAY)
    .describe("Seconds of traffic that are learned before anything is new."),
  told_seconds: z
    .number()
    .min(1)
    .default(60)
    .describe("Seconds for which something is told as new; then it is known."),
  known_seconds: z
    .number()
    .min(1)
    .default(7 * DAY)
    .describe("Seconds after which what was not seen again is new again."),
} as const;

export interface SightSettings {
  readonly learn_seconds: number;
  readonly told_seconds: number;
  readonly known_seconds: number;
}

/** What is kept over a restart: seconds learned, and by key how long ago each thing was seen last. */
export const sightsMemory = z.strictObject({
  learnedSeconds: z.number().min(0),
  seen: z.record(z.string(), z.array(z.tuple([z.string(), z.number()])).max(CAPACITY)),
});
export type SightsMemory = z.infer<typeof sightsMemory>;

/** How long traffic has been learned, in ticks that may be learned from. */
export class Learning {
  /** Seconds learned before the current tick. */
  seconds = 0;
  isReady = false;
  /** Time of the last tick. */
  elapsedMs = 0;
  readonly #needed: number;
  #counted = 0;

  constructor({ learn_seconds }: SightSettings) {
    this.#needed = learn_seconds;
  }

  /** Seconds learned, the last tick among them. */
  get counted(): number {
    return this.#counted;
  }

  /** Goes on at that time after so many seconds learned. */
  recall(counted: number, elapsedMs: number): void {
    this.#counted = counted;
    this.elapsedMs = elapsedMs;
  }

  /** Once a tick, before anything is seen in it. */
  update({ seconds, elapsedMs, tainted }: Tick): void {
    this.elapsedMs = elapsedMs;
    this.seconds = this.#counted;
    this.isReady = this.#counted >= this.#needed;
    if (!tainted) this.#counted += seconds;
  }
}

/** When each of many things was first seen; what was seen while learning, and again since, is nothing new. */
export class FirstSights {
  readonly #settings: SightSettings;
  readonly #learning: Learning;
  readonly #known = new BoundedMap<{ readonly firstMs: number; lastMs: number }>(CAPACITY);

  constructor(settings: SightSettings, learning: Learning) {
    this.#settings = settings;
    this.#learning = learning;
  }

  /** What would be new again is left out. */
  remember(): [key: string, ageMs: number][] {
    const knownMs = this.#settings.known_seconds * 1000;
    return this.#known
      .remember(({ lastMs }) => this.#learning.elapsedMs - lastMs)
      .filter(([, ageMs]) => ageMs <= knownMs);
  }

  /** Knows all of that, as if it had been learned. */
  recall(seen: readonly (readonly [key: string, ageMs: number])[]): void {
    this.#known.recall(seen, (ageMs) => ({
      ...{ firstMs: Number.NEGATIVE_INFINITY, lastMs: this.#learning.elapsedMs - ageMs },
    }));
  }

  /** Sees something in a tick; returns for how many milliseconds it has been known, infinitely long if it was learned. */
  see(key: string, { elapsedMs }: Tick): number {
    const before = this.#known.peek(key);
    const isForgotten =
      before !== undefined && elapsedMs - before.lastMs > this.#settings.known_seconds * 1000;
    if (isForgotten) this.#known.delete(key);
    const firstMs = this.#learning.isReady ? elapsedMs : Number.NEGATIVE_INFINITY;
    const sight = this.#known.use(key, () => ({ firstMs, lastMs: elapsedMs }));
    sight.lastMs = elapsedMs;
    return elapsedMs - sight.firstMs;
  }

  /** The same; returns true while it is to be told as new. */
  isNew(key: string, tick: Tick): boolean {
    return this.see(key, tick) < this.#settings.told_seconds * 1000;
  }
}

/** What several of them, which learn together, remember; `sights` by the name each is kept under. */
export function rememberSights(
  learning: Learning,
  sights: Readonly<Record<string, FirstSights>>,
): SightsMemory {
  const seen = Object.entries(sights).map(([name, own]) => [name, own.remember()]);
  return { learnedSeconds: learning.counted, seen: Object.fromEntries(seen) };
}

/** Goes on from there at that time; throws, with nothing changed, where that is not what `rememberSights` gives. */
export function recallSights(
  memory: unknown,
  elapsedMs: number,
  learning: Learning,
  sights: Readonly<Record<string, FirstSights>>,
): void {
  const { learnedSeconds, seen } = sightsMemory.parse(memory);
  learning.recall(learnedSeconds, elapsedMs);
  for (const [name, own] of Object.entries(sights)) own.recall(seen[name] ?? []);
}
