// SPDX-License-Identifier: AGPL-3.0-or-later

import { DROP_STAGES, type Window } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { FREEZE_SCORE } from "./baseline/guarded-ewma.ts";
import { spreadFloor } from "./baseline/scale.ts";
import type { Environment, SignalState } from "./detector.ts";

/** Settings under `detectors.guards`: what holds for every detector. */
export const guardSettings = z.strictObject({
  warmup_seconds: z
    .int()
    .min(60)
    .default(600)
    .describe("Seconds of traffic a signal's baseline learns before it judges anything."),
  freeze_seconds: z
    .int()
    .min(60)
    .default(1800)
    .describe("Longest time a changed level is held to be abnormal; then it is the new normal."),
  learn_seconds: z
    .number()
    .min(0)
    .default(0)
    .describe(
      "For this long after the start everything is learned, and nothing is told above info.",
    ),
  cooldown_seconds: z
    .number()
    .min(0)
    .default(900)
    .describe(
      "After an anomaly is resolved, the same detector stays silent about the same entity for this long, unless it is more severe.",
    ),
  update_seconds: z
    .number()
    .min(1)
    .default(300)
    .describe("A lasting anomaly is told again with new numbers at most this often."),
  max_incidents: z
    .int()
    .min(1)
    .max(1000)
    .default(20)
    .describe(
      "Anomalies one detector may have open at once; what comes on top is counted in one event about many entities.",
    ),
  environment_ratio: z
    .number()
    .gt(0)
    .max(1)
    .default(0.3)
    .describe(
      "When more than this share of the signals leaves its baseline at once, the environment changed, and the signals are not told one by one.",
    ),
});
export type GuardSettings = z.infer<typeof guardSettings>;

/** Fewer signals than this are never an environment. */
const ENVIRONMENT_SIGNALS = 10;
/** Lost packets, as a share of those received, that make a window unreliable. */
const LOSS_RATIO = 0.01;
/** A window that comes this much late, or this far from where the last one ended, teaches nothing. */
const LATE_SECONDS = 2;

/** What may be believed of a window. */
export interface WindowQuality {
  readonly degraded: boolean;
  readonly tainted: boolean;
}

/** Judges a window that was expected to start at `expectedStartMs` (NaN for the first one). */
export function windowQuality(window: Window, expectedStartMs: number): WindowQuality {
  let received = 0;
  let dropped = 0;
  let disturbed = window.capture.length === 0 || window.ticks > LATE_SECONDS;
  for (const capture of window.capture) {
    received += capture.received;
    for (const stage of DROP_STAGES) dropped += capture.dropped[stage];
    disturbed ||= capture.clockSteps > 0 || capture.lagSeconds > LATE_SECONDS;
  }
  const degraded = dropped > LOSS_RATIO * received;
  const leap = Math.abs(window.startMs - expectedStartMs) > LATE_SECONDS * 1000;
  return { degraded, tainted: degraded || disturbed || leap };
}

/** Counts the traffic signals that are far from their baselines; of many at once, none is the cause. */
export function environmentOf(signals: readonly SignalState[], ratio: number): Environment {
  let judged = 0;
  let away = 0;
  for (const signal of signals) {
    if (!isJudged(signal)) continue;
    judged++;
    if (isAway(signal)) away++;
  }
  const limit = Math.max(ENVIRONMENT_SIGNALS - 1, Math.floor(ratio * judged));
  return { judged, away, limit, changed: away > limit };
}

/**
 * True for signals of traffic whose guarded baseline is ready. Those that were silent do not count, even when they are
 * no longer: a quiet host that begins to work is no change of its environment.
 */
export function isJudged({ baseline, unit, ready, mean }: SignalState): boolean {
  return baseline === "ewma" && unit !== "ratio" && ready && mean >= spreadFloor(unit);
}

/** True for a signal so far from its baseline that the baseline stopped learning. */
export function isAway({ z }: SignalState): boolean {
  return Math.abs(z) > FREEZE_SCORE;
}

const HISTORY = 0b11111;
const NEEDED = 3;

/** On at 3 of the last 5 ticks above the upper limit, off below the lower one. */
export class Hysteresis {
  #history = 0;
  #active = false;

  /** Takes a tick's score; returns whether it is on now. */
  update(score: number, on: number, off: number): boolean {
    this.#history = ((this.#history << 1) | (score >= on ? 1 : 0)) & HISTORY;
    this.#active = score >= off && (this.#active || bits(this.#history) >= NEEDED);
    return this.#active;
  }
}

function bits(history: number): number {
  let ones = 0;
  for (let rest = history; rest > 0; rest &= rest - 1) ones++;
  return ones;
}
