// SPDX-License-Identifier: AGPL-3.0-or-later
import { emptyFrame, type Frame } from "../../src/capture/source.ts";
import type { Window } from "../../src/flow/window.ts";
import { Pipeline } from "../../src/pipeline.ts";
import { createSensorLayouts } from "../../src/sensor-metrics.ts";
import { IDLE_SOURCE } from "../support/idle-source.ts";

/** Two pipelines that get the same frames: one takes the short way where it may, and looks ahead, the other never does. */
export class TwoWays {
  readonly #windows: readonly [Window[], Window[]] = [[], []];
  readonly #either = pipeline(true, this.#windows[0]);
  readonly #long = pipeline(false, this.#windows[1]);
  readonly #copy: Frame = emptyFrame();
  readonly #starts = new Int32Array(1);

  /** Gives the frame to both. */
  frame(frame: Frame): void {
    // The long way may note a direction in the frame.
    Object.assign(this.#copy, frame);
    this.#starts[0] = frame.start;
    this.#either.lookAhead.announce(frame.view, this.#starts, 1);
    this.#either.frame(frame);
    this.#long.frame(this.#copy);
  }

  /** Frames that took the short way. */
  get short(): number {
    return this.#either.shortcuts;
  }

  /** Ends the open windows and returns what each pipeline has said since the last call. */
  windows(): [either: Window[], long: Window[]] {
    this.#either.finish();
    this.#long.finish();
    const [either, long] = this.#windows;
    return [either.splice(0), long.splice(0)];
  }
}

function pipeline(shortcuts: boolean, windows: Window[]): Pipeline {
  return new Pipeline({
    ...{ sensor: 0, source: IDLE_SOURCE, layouts: createSensorLayouts(), shortcuts },
    ...{ home: ["10.0.0.0/8", "192.168.0.0/16"], hashSeed: 1, flowCapacity: 4096 },
    ...{ tallyLimit: 1_000, now: null, emit: (window: Window) => windows.push(window) },
  });
}
