// SPDX-License-Identifier: AGPL-3.0-or-later
import { mergeWindows } from "./flow/merge.ts";
import type { Window } from "./flow/window.ts";
import type { Clock } from "./util/clock.ts";

/** How long a tick waits for the slowest sensor. */
const WAIT_MS = 300;

/**
 * Makes many sensors look like one: windows of the same second are merged; a sensor that is late is merged into
 * the next tick instead of being waited for.
 */
export class WindowMerger {
  readonly #sensors: number;
  readonly #clock: Clock;
  readonly #emit: (window: Window) => void;
  readonly #held = new Map<number, Window>();
  #cancel: (() => void) | null = null;

  constructor(sensors: number, clock: Clock, emit: (window: Window) => void) {
    this.#sensors = sensors;
    this.#clock = clock;
    this.#emit = emit;
  }

  offer(window: Window): void {
    if (this.#sensors === 1) {
      this.#emit(window);
      return;
    }
    if (this.#held.has(window.sensor)) this.flush();
    this.#held.set(window.sensor, window);
    if (this.#held.size === this.#sensors) this.flush();
    else this.#cancel ??= this.#clock.after(WAIT_MS, () => this.flush());
  }

  /** Emits what is held as one window. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    const [first, ...rest] = this.#held.values();
    this.#held.clear();
    if (first) this.#emit(rest.reduce((merged, window) => mergeWindows(merged, window), first));
  }
}
