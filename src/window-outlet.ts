// SPDX-License-Identifier: AGPL-3.0-or-later
import { mergeWindows } from "./flow/merge.ts";
import type { Window } from "./flow/window.ts";

/** Windows that may be on their way before further ones are merged instead of sent. */
const IN_FLIGHT_LIMIT = 4;

/**
 * The sensor's end of the seam. A reader that is slow gets fewer, merged windows: nothing is lost and nothing
 * piles up.
 */
export class WindowOutlet {
  readonly #send: (window: Window) => void;
  #pending: Window | null = null;
  #sent = 0;
  #acknowledged = 0;

  constructor(send: (window: Window) => void) {
    this.#send = send;
  }

  offer(window: Window): void {
    this.#pending = this.#pending ? mergeWindows(this.#pending, window) : window;
    this.#drain();
  }

  /** The reader has taken one window. */
  acknowledge(): void {
    this.#acknowledged++;
    this.#drain();
  }

  #drain(): void {
    if (!this.#pending || this.#sent - this.#acknowledged >= IN_FLIGHT_LIMIT) return;
    const window = this.#pending;
    this.#pending = null;
    this.#sent++;
    this.#send(window);
  }
}
