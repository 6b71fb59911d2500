// SPDX-License-Identifier: AGPL-3.0-or-later

/** Model of the threshold random walk. */
export interface WalkModel {
  /** Log-likelihood that one success takes off and one failure adds. */
  readonly success: number;
  readonly failure: number;
  /** Log-likelihood at which a source is called harmless. */
  readonly lower: number;
}

/** Steps of one window that are walked one by one; longer ones are walked in the same proportion. */
const MOST_STEPS = 4096;

/**
 * Threshold random walk (Jung, Paxson, Berger, Balakrishnan: "Fast Portscan Detection Using Sequential Hypothesis
 * Testing", IEEE S&P 2004): θ0 and θ1 are the chances that a first contact succeeds, of a harmless source and of a
 * scanner; α and β the wanted chances to call a harmless source and a scanner a scanner.
 */
export function walkModel(theta0: number, theta1: number, beta: number, alpha: number): WalkModel {
  return {
    success: Math.log(theta1 / theta0),
    failure: Math.log((1 - theta1) / (1 - theta0)),
    lower: Math.log((1 - beta) / (1 - alpha)),
  };
}

/** Log-likelihood at which a source is called a scanner. */
export function scannerThreshold(beta: number, alpha: number): number {
  return Math.log(beta / alpha);
}

/**
 * Walks one window's outcomes from `likelihood` and returns where it ends: at `upper` as soon as it is reached, at 0
 * again after each verdict of harmlessness. The order inside a window is not known; outcomes are taken evenly mixed,
 * so that a thousand successes and two hundred failures are a busy client and not a scanner after its successes.
 */
export function walk(
  model: WalkModel,
  upper: number,
  likelihood: number,
  successes: number,
  failures: number,
): number {
  const total = successes + failures;
  const steps = Math.min(total, MOST_STEPS);
  let at = likelihood;
  let due = 0;
  for (let step = 0; step < steps; step++) {
    due += failures;
    const failed = due >= total;
    if (failed) due -= total;
    at += failed ? model.failure : model.success;
    if (at >= upper) return upper;
    if (at <= model.lower) at = 0;
  }
  return at;
}
