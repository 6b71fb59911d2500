// SPDX-License-Identifier: AGPL-3.0-or-later
import type { DetectionEngine } from "./detect/engine.ts";
import type { CaptureWindow, Window } from "./flow/window.ts";
import type { SensorState } from "./sensors.ts";
import type { CaptureStatus, LearningStatus } from "./server/contract.ts";

/** What the page and the API say of the captures: levels of the last window, totals since the start. */
export class CaptureBook {
  readonly #captures = new Map<string, CaptureStatus>();

  window(window: Window): void {
    const seconds = Math.max(1e-3, (window.endMs - window.startMs) / 1000);
    for (const capture of window.capture) this.#add(capture, seconds);
  }

  /** One entry an interface, whether it captured packets or not. */
  status(states: readonly SensorState[]): CaptureStatus[] {
    return states.map((state) => ({
      interface: state.interface,
      source: state.source,
      packets_per_second: 0,
      bytes_per_second: 0,
      packets: 0,
      dropped: 0,
      ...this.#captures.get(state.interface),
      up: state.capturing,
    }));
  }

  #add(capture: CaptureWindow, seconds: number): void {
    const before = this.#captures.get(capture.interface);
    const dropped = Object.values(capture.dropped).reduce((sum, count) => sum + count, 0);
    this.#captures.set(capture.interface, {
      interface: capture.interface,
      source: capture.source,
      up: true,
      packets_per_second: capture.processed / seconds,
      bytes_per_second: capture.bytes / seconds,
      packets: (before?.packets ?? 0) + capture.processed,
      dropped: (before?.dropped ?? 0) + dropped,
    });
  }
}

/** What the page and the API say of what is known. */
export function learningStatus(engine: Pick<DetectionEngine, "learning">): LearningStatus {
  const { secondsLeft, signals, ready } = engine.learning();
  return { seconds_left: Math.ceil(secondsLeft), signals, signals_ready: ready };
}
