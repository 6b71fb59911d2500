// SPDX-License-Identifier: AGPL-3.0-or-later
import type { LookAhead } from "./source.ts";

/** Enough frames that the memory they need is fetched side by side, and few enough that it is still cached at their turn. */
export const FRAMES_AHEAD = 64;

/** The frames of a stretch of memory whose places are known before they are delivered. */
export class FramesAhead {
  /** Where they begin, filled by the source. */
  readonly starts = new Int32Array(FRAMES_AHEAD);
  readonly #listener: LookAhead | undefined;
  #left = 0;

  constructor(listener: LookAhead | undefined) {
    this.#listener = listener;
  }

  /** Forgets what was announced: the next frames are others. */
  reset(): void {
    this.#left = 0;
  }

  /** True where those announced have all been delivered, and someone gains by hearing of the next ones; called once a frame. */
  isDue(): boolean {
    if (this.#left-- > 0) return false;
    this.#left = FRAMES_AHEAD - 1;
    return this.#listener?.isWorthwhile() ?? false;
  }

  /** Tells of the next frames, the first `count` of `starts`; the caller is about to deliver the first of them. */
  announce(view: DataView, count: number): void {
    this.#left = count - 1;
    if (count > 1) this.#listener?.announce(view, this.starts, count);
  }
}
