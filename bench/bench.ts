// SPDX-License-Identifier: AGPL-3.0-or-later

/** One measured ratio. Figures depend on the machine; the ratio to something else on the same machine less so. */
export interface Row {
  /** What was measured. */
  readonly what: string;
  readonly measured: string;
  /** What it is held against, with its figure; empty where the figure speaks for itself. */
  readonly against: string;
  /** measured / against, or against / measured where more is better; null without a comparison. */
  readonly ratio: number | null;
  readonly goal: string;
  readonly met: boolean;
}

export interface Bench {
  readonly name: string;
  readonly what: string;
  readonly needsRoot: boolean;
  /** Measures; `say` reports progress. */
  run(say: (line: string) => void): Promise<readonly Row[]>;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a share of the values lies, by nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
