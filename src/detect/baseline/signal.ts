// SPDX-License-Identifier: AGPL-3.0-or-later
import type { BaselineName, SignalState } from "../detector.ts";
import { type EwmaLimits, GuardedEwma } from "./guarded-ewma.ts";
import type { SignalMemory } from "./memory.ts";
import { ROBUST_SAMPLE_SECONDS, RobustBaseline } from "./robust.ts";
import { RollUp } from "./roll-up.ts";
import { RollingBaseline } from "./rolling.ts";
import { scaleOf, spreadFloor, usable } from "./scale.ts";
import { SEASONAL_SAMPLE_SECONDS, SeasonalBaseline } from "./seasonal.ts";
import { WeekAgo } from "./week-ago.ts";

/** A window that covers more seconds than this teaches no more than this many samples. */
const MOST_REPEATS = 300;
/** A shorter window is too little of a second to be a rate. */
const LEAST_SECONDS = 0.5;

export interface SignalIdentity {
  readonly name: string;
  readonly unit: string;
  readonly protocol: string;
}

/** When and how a value was measured. */
export interface Circumstances {
  /** How long it was true. */
  readonly seconds: number;
  /** UTC milliseconds of its end: the time of day matters. */
  readonly timeMs: number;
  readonly learn: boolean;
}

type MutableState = { -readonly [Key in keyof SignalState]: SignalState[Key] };

/** One series and its baselines. */
export class Signal {
  /** Name and unit: memory of another unit would be of another thing. */
  readonly key: string;
  readonly #floor: number;
  readonly #rolling = new RollingBaseline();
  readonly #ewma: GuardedEwma;
  readonly #rollingState: MutableState;
  readonly #ewmaState: MutableState;
  readonly #weekAgo = new WeekAgo();
  readonly #robust: RobustBaseline;
  readonly #robustState: MutableState;
  readonly #robustSample: RollUp;
  readonly #seasonal: SeasonalBaseline;
  readonly #seasonalState: MutableState;
  readonly #seasonalSample = new RollUp(SEASONAL_SAMPLE_SECONDS);
  /** One state for each baseline; the same objects for ever, rewritten by `observe`. */
  readonly states: readonly [
    rolling: SignalState,
    ewma: SignalState,
    robust: SignalState,
    seasonal: SignalState,
  ];

  constructor(identity: SignalIdentity, limits: EwmaLimits) {
    this.key = `${identity.name} ${identity.unit}`;
    this.#floor = spreadFloor(identity.unit);
    this.#ewma = new GuardedEwma(limits, scaleOf(identity.unit));
    this.#rollingState = emptyState(identity, "rolling");
    this.#ewmaState = emptyState(identity, "ewma");
    const phase = phaseOf(identity.name);
    this.#robust = new RobustBaseline(this.#floor, Math.floor(phase / ROBUST_SAMPLE_SECONDS));
    this.#robustSample = new RollUp(ROBUST_SAMPLE_SECONDS, 1 + (phase % ROBUST_SAMPLE_SECONDS));
    this.#seasonal = new SeasonalBaseline(this.#floor);
    this.#robustState = emptyState(identity, "robust");
    this.#seasonalState = emptyState(identity, "seasonal");
    this.states = [this.#rollingState, this.#ewmaState, this.#robustState, this.#seasonalState];
  }

  /**
   * Scores a value that was true for `seconds`, then learns it unless told not to. What is not a rate (negative, NaN)
   * and windows of less than half a second change nothing.
   */
  observe(value: number, { seconds, timeMs, learn }: Circumstances): void {
    const sample = usable(value);
    this.#ewmaState.shiftSeconds = 0;
    if (sample === null || seconds < LEAST_SECONDS) return;
    this.#rollingState.z = this.#rolling.score(sample, this.#floor);
    const repeats = Math.min(MOST_REPEATS, Math.max(1, Math.round(seconds)));
    for (let repeat = 0; repeat < repeats; repeat++) {
      this.#ewmaState.z = this.#ewma.observe(sample, learn);
      this.#ewmaState.shiftSeconds ||= this.#ewma.shiftSamples;
      if (learn) this.#rolling.learn(sample);
    }
    describe(this.#rollingState, sample, this.#rolling);
    describe(this.#ewmaState, sample, this.#ewma);
    if (this.#ewma.ready) this.#weekAgo.observe(this.#ewmaState.mean, timeMs);
    this.#ewmaState.weekAgo = this.#weekAgo.level;
    this.#observeSlow(sample, { seconds, timeMs, learn });
  }

  /** For the state file. */
  remember(): SignalMemory {
    return {
      rolling: this.#rolling.remember(),
      ewma: this.#ewma.remember(),
      robust: this.#robust.remember(),
      seasonal: this.#seasonal.remember(),
      week: this.#weekAgo.remember(),
    };
  }

  /** Goes on from what is remembered; of an old memory only the seasons and the weeks are true any more. */
  recall(memory: SignalMemory, isOld: boolean): void {
    this.#seasonal.recall(memory.seasonal);
    this.#weekAgo.recall(memory.week);
    if (isOld) return;
    for (const value of memory.rolling) this.#rolling.learn(value);
    for (const value of memory.robust) this.#robust.observe(value, true);
    this.#ewma.recall(memory.ewma);
  }

  /** The baselines whose samples are means of several ticks; their scores stand until the next sample. */
  #observeSlow(value: number, { seconds, timeMs, learn }: Circumstances): void {
    if (this.#robustSample.add(value, seconds, learn)) {
      const { mean, clean } = this.#robustSample.take();
      this.#robustState.z = this.#robust.observe(mean, clean);
      describe(this.#robustState, mean, this.#robust);
    }
    if (this.#seasonalSample.add(value, seconds, learn)) {
      const { mean, clean } = this.#seasonalSample.take();
      this.#seasonalState.z = this.#seasonal.observe(mean, timeMs, clean);
      describe(this.#seasonalState, mean, this.#seasonal);
    }
  }
}

/** The same for the same name, different for most others. */
function phaseOf(name: string): number {
  let phase = 0;
  for (let at = 0; at < name.length; at++) phase = (phase * 31 + name.charCodeAt(at)) % 9973;
  return phase;
}

function emptyState(identity: SignalIdentity, baseline: BaselineName): MutableState {
  return {
    name: identity.name,
    baseline,
    unit: identity.unit,
    protocol: identity.protocol,
    value: 0,
    mean: 0,
    stddev: 0,
    z: 0,
    ready: false,
    samples: 0,
    shiftSeconds: 0,
    weekAgo: null,
  };
}

function describe(
  state: MutableState,
  value: number,
  baseline: Pick<SignalState, "mean" | "stddev" | "ready" | "samples">,
): void {
  state.value = value;
  state.mean = baseline.mean;
  state.stddev = baseline.stddev;
  state.ready = baseline.ready;
  state.samples = baseline.samples;
}
