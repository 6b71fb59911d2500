// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Recorded } from "../fixtures/capture-file.ts";

/** One chapter of docs/evaluation.md. */
export interface Section {
  readonly title: string;
  /** Markdown paragraphs and tables, in order. */
  readonly parts: readonly string[];
}

/** A Markdown table. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${Math.round((100 * part) / whole)} %`;
}

/** The least and the most of what repeated runs gave; one number where they agree. */
export function span(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? `${least}` : `${least} to ${most}`;
}

/** The same as percentages of a whole. */
export function percentSpan(parts: readonly number[], whole: number): string {
  return `${span(parts.map((part) => Math.round((100 * part) / whole)))} %`;
}

/** The value below which a share of the values lies; "–" where there are none. */
export function quantileText(values: readonly number[], share: number, unit = " s"): string {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return value === undefined ? "–" : `${Number(value.toFixed(2))}${unit}`;
}

/** Seconds between the first frame and the last. */
export function spanOf(frames: readonly Recorded[]): number {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { timeUs } of frames) {
    first = Math.min(first, timeUs);
    last = Math.max(last, timeUs);
  }
  return frames.length === 0 ? 0 : (last - first) / 1e6;
}
