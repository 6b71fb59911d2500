// SPDX-License-Identifier: AGPL-3.0-or-later
import type { SignalState } from "./detector.ts";

/** How much of what is normal is known: an agent that says nothing may not know enough to say anything. */
export interface LearningState {
  /** Seconds until anything is told above info, 0 outside of learn mode (`detectors.guards.learn_seconds`). */
  readonly secondsLeft: number;
  readonly signals: number;
  /** Signals whose guarded baseline judges already. */
  readonly ready: number;
}

/** Sums up the signals, after `elapsedMs` of a learn mode that lasts `learnSeconds`. */
export function learningOf(
  signals: readonly SignalState[],
  elapsedMs: number,
  learnSeconds: number,
): LearningState {
  const guarded = signals.filter(({ baseline }) => baseline === "ewma");
  return {
    secondsLeft: Math.max(0, learnSeconds - elapsedMs / 1000),
    signals: guarded.length,
    ready: guarded.filter(({ ready }) => ready).length,
  };
}
