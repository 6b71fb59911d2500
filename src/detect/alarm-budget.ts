// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricsRegistry } from "../metrics/registry.ts";
import type { Anomaly, BudgetState, DetectorDefinition } from "./detector.ts";
import { budgetFamilies } from "./families.ts";
import { RecentSum } from "./recent-sum.ts";

const MINUTE_MS = 60_000;
export const WEEK_SECONDS = 7 * 86_400;
/** For detectors that do not say: those that judge by what a protocol means. */
export const EXPECTED_PER_WEEK = 1;

type MutableState = { -readonly [Key in keyof BudgetState]: BudgetState[Key] };

/**
 * What every detector opened in the last week, beside what it is expected to open where nothing is wrong. No machine
 * knows which alarms are false; a detector that opens many times its budget is tuned wrong, or there is a siege.
 */
export class AlarmBudget {
  readonly #opened = new Map<string, RecentSum>();
  readonly #states: readonly MutableState[];
  #advancedMs = 0;

  constructor(definitions: readonly DetectorDefinition<unknown>[], registry: MetricsRegistry) {
    this.#states = definitions.map(({ name, alarmsPerWeek = EXPECTED_PER_WEEK }) => {
      this.#opened.set(name, new RecentSum(WEEK_SECONDS));
      return { detector: name, expected: alarmsPerWeek, observed: 0 };
    });
    const families = budgetFamilies(definitions.map(({ name }) => name));
    const expected = registry.gauge(families.expected);
    const observed = registry.gauge(families.observed);
    registry.onCollect(() => {
      for (const state of this.#states) {
        expected.set({ detector: state.detector }, state.expected);
        observed.set({ detector: state.detector }, state.observed);
      }
    });
  }

  /** One state a detector; the same objects for ever, rewritten by `advance` and `count`. */
  get states(): readonly BudgetState[] {
    return this.#states;
  }

  /** Forgets what is more than a week old, up to 34 hours late. */
  advance(elapsedMs: number): void {
    if (elapsedMs - this.#advancedMs < MINUTE_MS) return;
    this.#advancedMs = elapsedMs;
    for (const state of this.#states) this.#add(state, 0, elapsedMs);
  }

  /** Counts the anomalies among the changes that opened. */
  count(changes: readonly Anomaly[], elapsedMs: number): void {
    for (const { detector, state: change } of changes) {
      const state = this.#states.find((candidate) => candidate.detector === detector);
      if (state && change === "open") this.#add(state, 1, elapsedMs);
    }
  }

  #add(state: MutableState, opened: number, elapsedMs: number): void {
    state.observed = this.#opened.get(state.detector)?.add(opened, elapsedMs) ?? 0;
  }
}
