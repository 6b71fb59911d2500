// SPDX-License-Identifier: AGPL-3.0-or-later
// Harmless traffic as measured networks have it: a day, slow swings, heavy-tailed bursts, and counting noise.
import { randomOf } from "../../test/support/detection-bench.ts";

export interface Traffic {
  /** Packets of the second `at`. */
  next(at: number): number;
}

const DAY_SECONDS = 86_400;
/** Slow swings: standard deviation in nats, and how many seconds they last. */
const SWING = 0.35;
const SWING_SECONDS = 300;
/** Bursts: how often one begins, its shape (Pareto), the most it can be, and how it dies down. */
const BURST_CHANCE = 1 / 600;
const BURST_SHAPE = 1.5;
const BURST_MOST = 20;
const BURST_DECAY = 0.7;

/** Packets a second around `base`, the same for the same seed. */
export function benignTraffic(base: number, seed: number): Traffic {
  const random = randomOf(seed);
  const pull = 1 / SWING_SECONDS;
  let swing = 0;
  let burst = 0;
  return {
    next(at) {
      swing += -pull * swing + SWING * Math.sqrt(2 * pull) * gaussian(random);
      burst *= BURST_DECAY;
      if (random() < BURST_CHANCE)
        burst += Math.min(BURST_MOST, random() ** (-1 / BURST_SHAPE) - 1);
      const day = 1 + 0.6 * Math.sin((2 * Math.PI * at) / DAY_SECONDS);
      return poisson(base * day * Math.exp(swing) * (1 + burst), random);
    },
  };
}

export function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Exact for small means, the Gaussian limit for large ones. */
export function poisson(mean: number, random: () => number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * gaussian(random)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}
