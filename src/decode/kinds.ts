// SPDX-License-Identifier: AGPL-3.0-or-later
/** Label value for numbers that no kind names. */
export const OTHER_KIND = "other";

/** Label values of a one-byte type field, and for each number the position of its value. */
export interface Kinds {
  readonly labels: readonly string[];
  readonly positions: Uint8Array;
}

/** Closed label values for a type field, from label to numbers; all other numbers are `other`, the last value. */
export function kindsOf(numbers: Readonly<Record<string, readonly number[]>>): Kinds {
  const labels = [...Object.keys(numbers), OTHER_KIND];
  const positions = new Uint8Array(256).fill(labels.length - 1);
  for (const [position, label] of labels.entries()) {
    for (const number of numbers[label] ?? []) positions[number] = position;
  }
  return { labels, positions };
}
