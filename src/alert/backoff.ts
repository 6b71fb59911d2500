// SPDX-License-Identifier: AGPL-3.0-or-later

const CAP_MS = 300_000;
const BASE_MS = 1_000;

/**
 * Wait before attempt `n + 1` after `n` failed ones: full jitter, rand(0, min(300 s, 1 s · 2^n)), so that a fleet
 * that lost the same channel does not come back in step. `random` gives [0, 1).
 */
export function backoffMs(failures: number, random: () => number): number {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(failures, 20));
}
