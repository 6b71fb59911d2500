// SPDX-License-Identifier: AGPL-3.0-or-later
import type { EwmaMemory } from "./memory.ts";
import type { Scale } from "./scale.ts";

/** Bounds of guarded EWMAs, in samples of one second; shared by many, and their owner may change them. */
export interface EwmaLimits {
  /** Samples before a baseline is ready; until then everything is learned as it comes. */
  warmupSamples: number;
  /** Longest time a deviation is held to be abnormal before it is the new normal. */
  freezeSamples: number;
}

/** Weight of a sample in the value that is judged: a time constant of five seconds. */
const SMOOTHING = 1 - Math.exp(-1 / 5);
const LEVEL_RATE = 1 / 3600;
const SPREAD_RATE = 1 / 7200;
/** √(π/2): turns the mean absolute deviation of a Gaussian into its standard deviation. */
const DEVIATION_TO_SIGMA = Math.sqrt(Math.PI / 2);
/** What is learned is cut to this many standard deviations. */
const WINSOR = 4;
/** Beyond this many standard deviations nothing is learned. */
export const FREEZE_SCORE = 5;
/** Normal samples pay back frozen ones this many times over, so that dips do not restart a freeze. */
const THAW = 10;

/**
 * Level and spread of a smoothed value, both forgetting exponentially. Every sample is scored before it is learned.
 * While a sample is far off, nothing is learned, so that an attack does not become normal; but only for a bounded
 * time, after which what was seen meanwhile becomes the baseline and `shiftSamples` says so once.
 */
export class GuardedEwma {
  readonly #limits: EwmaLimits;
  readonly #scale: Scale;
  readonly #smoothing: number;
  readonly #levelRate: number;
  readonly #spreadRate: number;
  #smoothed = 0;
  #samples = 0;
  #level = 0;
  #deviation = 0;
  #frozen = 0;
  #candidates = 0;
  #candidateLevel = 0;
  #candidateDeviation = 0;
  #shiftSamples = 0;

  /** `smoothing` 1 judges every sample by itself; each stands for `sampleSeconds` of learning. */
  constructor(limits: EwmaLimits, scale: Scale, smoothing = SMOOTHING, sampleSeconds = 1) {
    this.#levelRate = LEVEL_RATE * sampleSeconds;
    this.#spreadRate = SPREAD_RATE * sampleSeconds;
    this.#limits = limits;
    this.#scale = scale;
    this.#smoothing = smoothing;
  }

  get samples(): number {
    return this.#samples;
  }

  get ready(): boolean {
    return this.#samples >= this.#limits.warmupSamples;
  }

  /** The level in the value's own unit. */
  get mean(): number {
    return this.#scale.backward(this.#level);
  }

  /** What one standard deviation upwards means in the value's own unit. */
  get stddev(): number {
    return this.#scale.backward(this.#level + this.#sigma()) - this.mean;
  }

  /** Length of the freeze that ran out with the last sample, 0 where none did. */
  get shiftSamples(): number {
    return this.#shiftSamples;
  }

  /** Scores a finite, non-negative sample, then learns it if `learn`; returns 0 until ready. */
  observe(value: number, learn: boolean): number {
    this.#shiftSamples = 0;
    this.#smoothed += this.#samples === 0 ? value - this.#smoothed : this.#step(value);
    const sample = this.#scale.forward(this.#smoothed);
    const distance = sample - this.#level;
    const score = this.ready ? distance / this.#sigma() : 0;
    if (!learn) return score;
    if (!this.ready) this.#warmUp(sample);
    else if (Math.abs(score) > FREEZE_SCORE) this.#freeze(sample);
    else this.#adapt(distance);
    return score;
  }

  /** For the state file. */
  remember(): EwmaMemory {
    return {
      samples: this.#samples,
      smoothed: this.#smoothed,
      level: this.#level,
      deviation: this.#deviation,
      frozen: this.#frozen,
      candidates: this.#candidates,
      candidateLevel: this.#candidateLevel,
      candidateDeviation: this.#candidateDeviation,
    };
  }

  recall(memory: EwmaMemory): void {
    this.#samples = memory.samples;
    this.#smoothed = memory.smoothed;
    this.#level = memory.level;
    this.#deviation = memory.deviation;
    this.#frozen = memory.frozen;
    this.#candidates = memory.candidates;
    this.#candidateLevel = memory.candidateLevel;
    this.#candidateDeviation = memory.candidateDeviation;
  }

  #step(value: number): number {
    return this.#smoothing * (value - this.#smoothed);
  }

  #warmUp(sample: number): void {
    this.#samples++;
    const distance = this.#samples === 1 ? 0 : sample - this.#level;
    if (this.#samples === 1) this.#level = sample;
    this.#level += Math.max(this.#levelRate, 1 / this.#samples) * distance;
    this.#deviation +=
      Math.max(this.#spreadRate, 1 / this.#samples) * (Math.abs(distance) - this.#deviation);
  }

  #adapt(distance: number): void {
    this.#samples++;
    this.#frozen = Math.max(0, this.#frozen - THAW);
    if (this.#frozen === 0) this.#candidates = 0;
    const bound = WINSOR * this.#sigma();
    const learned = Math.min(bound, Math.max(-bound, distance));
    this.#level += this.#levelRate * learned;
    this.#deviation += this.#spreadRate * (Math.abs(learned) - this.#deviation);
  }

  #freeze(sample: number): void {
    this.#frozen++;
    this.#candidates++;
    if (this.#candidates === 1) {
      this.#candidateLevel = sample;
      this.#candidateDeviation = 0;
    }
    const distance = sample - this.#candidateLevel;
    this.#candidateLevel += distance / this.#candidates;
    this.#candidateDeviation += (Math.abs(distance) - this.#candidateDeviation) / this.#candidates;
    if (this.#frozen < this.#limits.freezeSamples) return;
    this.#level = this.#candidateLevel;
    this.#deviation = this.#candidateDeviation;
    this.#shiftSamples = this.#frozen;
    this.#frozen = 0;
    this.#candidates = 0;
  }

  #sigma(): number {
    return Math.max(DEVIATION_TO_SIGMA * this.#deviation, this.#scale.sigmaFloor);
  }
}
