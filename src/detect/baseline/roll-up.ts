// SPDX-License-Identifier: AGPL-3.0-or-later

/** Makes means of a fixed length out of values that were true for some seconds each. */
export class RollUp {
  readonly #length: number;
  #wanted: number;
  #sum = 0;
  #seconds = 0;
  #clean = true;

  /** `first` makes the first sample shorter: many series that all end a sample in one tick make that tick long. */
  constructor(seconds: number, first = seconds) {
    this.#length = seconds;
    this.#wanted = first;
  }

  /** True when a sample is complete; `take` then has it. */
  add(value: number, seconds: number, clean: boolean): boolean {
    this.#sum += value * seconds;
    this.#seconds += seconds;
    this.#clean &&= clean;
    return this.#seconds >= this.#wanted;
  }

  /** The complete sample's mean, and whether all of it may be learned; begins the next one. */
  take(): { readonly mean: number; readonly clean: boolean } {
    const sample = { mean: this.#sum / this.#seconds, clean: this.#clean };
    this.#wanted = this.#length;
    this.#sum = 0;
    this.#seconds = 0;
    this.#clean = true;
    return sample;
  }
}
