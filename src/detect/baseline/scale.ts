// SPDX-License-Identifier: AGPL-3.0-or-later

/** Largest value that is scored; far beyond any real rate, small enough for its square to stay finite. */
const LARGEST = 1e15;

/**
 * The smallest spread that counts as spread, by unit: without it, a series that never moved would turn its first
 * packet into a deviation of billions.
 */
const FLOORS: Readonly<Record<string, number>> = {
  packets: 1,
  messages: 1,
  flows: 1,
  bytes: 1000,
  ratio: 0.01,
};

const OTHER_FLOOR = 1;

/** Where a baseline does its arithmetic. */
export interface Scale {
  forward(value: number): number;
  backward(scaled: number): number;
  /** Smallest standard deviation, on the scale. */
  readonly sigmaFloor: number;
}

/** Spread floor of a unit: 1 per second, 1 kB per second for bytes, one hundredth for ratios. */
export function spreadFloor(unit: string): number {
  return FLOORS[unit] ?? OTHER_FLOOR;
}

/** For rates, which span orders of magnitude: ln(1 + value/unit), spread at least `sigmaFloor` nats. */
export function logScale(unit: number, sigmaFloor = 0.15): Scale {
  return {
    forward: (value) => Math.log1p(value / unit),
    backward: (scaled) => Math.expm1(scaled) * unit,
    sigmaFloor,
  };
}

/** For shares of a whole: the value itself, spread at least three percentage points. */
export const RATIO_SCALE: Scale = {
  forward: (value) => value,
  backward: (scaled) => scaled,
  sigmaFloor: 0.03,
};

const SCALES = new Map<string, Scale>([
  ...Object.entries(FLOORS).map(([unit, floor]): [string, Scale] => [unit, logScale(floor)]),
  ["ratio", RATIO_SCALE],
]);
const OTHER_SCALE = logScale(OTHER_FLOOR);

export function scaleOf(unit: string): Scale {
  return SCALES.get(unit) ?? OTHER_SCALE;
}

/** A finite number from 0 to 1e15; null for what is not a rate at all (a counter that was reset, NaN). */
export function usable(value: number): number | null {
  if (Number.isNaN(value) || value < 0) return null;
  return Math.min(value, LARGEST);
}
