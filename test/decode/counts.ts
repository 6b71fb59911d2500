// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Counts } from "./decoding.ts";

export function increment(counts: Counts, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

export function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** The same counts, of names that differ only in case together. */
export function lowerCase(counts: Counts): Counts {
  const merged: Counts = {};
  for (const [name, count] of Object.entries(counts)) {
    const key = name.toLowerCase();
    merged[key] = (merged[key] ?? 0) + count;
  }
  return merged;
}
