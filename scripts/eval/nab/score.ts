// SPDX-License-Identifier: AGPL-3.0-or-later
// The scoring rules of the Numenta Anomaly Benchmark (https://arxiv.org/abs/1510.03336, §2): early finds in a window
// earn more, finds outside cost less the closer they follow one, and one threshold serves the whole corpus.

/** One series as a detector saw it. */
export interface ScoredSeries {
  /** Anomaly score of each sample. */
  readonly scores: readonly number[];
  /** First and last sample of each labelled window, in order. */
  readonly windows: readonly (readonly [first: number, last: number])[];
}

export interface Profile {
  readonly name: string;
  readonly falsePositive: number;
  readonly falseNegative: number;
}

export const PROFILES: readonly Profile[] = [
  { name: "standard", falsePositive: 0.11, falseNegative: 1 },
  { name: "reward low FP", falsePositive: 0.22, falseNegative: 1 },
  { name: "reward low FN", falsePositive: 0.11, falseNegative: 2 },
];

/** The first samples of a series, which are not judged: 15 % of it, at most 750. */
export function probation(length: number): number {
  return Math.floor(0.15 * Math.min(length, 5000));
}

interface Candidate {
  readonly score: number;
  /** What a find here is worth; in a window only the best counts. */
  readonly worth: number;
  readonly window: number;
}

/**
 * The corpus' score at the threshold that is best for the profile: 0 for a detector that is always silent, 100 for
 * one that finds every window at its first sample and nothing else.
 */
export function bestScore(corpus: readonly ScoredSeries[], profile: Profile): number {
  const candidates: Candidate[] = [];
  let windows = 0;
  for (const series of corpus) {
    candidates.push(...candidatesOf(series, windows, profile));
    windows += series.windows.length;
  }
  candidates.sort((a, b) => b.score - a.score);
  const found = new Float64Array(windows).fill(-profile.falseNegative);
  const silent = -profile.falseNegative * windows;
  let total = silent;
  let best = silent;
  candidates.forEach(({ score, worth, window }, at) => {
    const before = window < 0 ? 0 : (found[window] ?? 0);
    const now = window < 0 ? worth : Math.max(before, worth);
    if (window >= 0) found[window] = now;
    total += now - before;
    if (candidates[at + 1]?.score !== score) best = Math.max(best, total);
  });
  return (100 * (best - silent)) / (windows - silent);
}

function candidatesOf(
  { scores, windows }: ScoredSeries,
  firstWindow: number,
  profile: Profile,
): Candidate[] {
  const candidates: Candidate[] = [];
  let next = 0;
  for (let at = 0; at < scores.length; at++) {
    while ((windows[next]?.[1] ?? Number.POSITIVE_INFINITY) < at) next++;
    if (at < probation(scores.length)) continue;
    const score = scores[at] ?? 0;
    const [first, last] = windows[next] ?? [Number.POSITIVE_INFINITY, 0];
    if (at >= first) {
      const worth = decay(-(last - at + 1) / (last - first + 1)) / decay(-1);
      candidates.push({ score, worth, window: firstWindow + next });
    } else {
      const worth = profile.falsePositive * costAfter(windows[next - 1], at);
      candidates.push({ score, worth, window: -1 });
    }
  }
  return candidates;
}

function costAfter(window: readonly [number, number] | undefined, at: number): number {
  return window ? decay((at - window[1]) / (window[1] - window[0])) : -1;
}

/** 1 well before 0, -1 well after it. */
function decay(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

/** A score counts only where it beats the last `samples` ones: what a cool-down leaves of it. */
export function coolDown(scores: readonly number[], samples: number): number[] {
  return scores.map((score, at) => {
    for (let back = Math.max(0, at - samples); back < at; back++) {
      if ((scores[back] ?? 0) >= score) return 0;
    }
    return score;
  });
}
