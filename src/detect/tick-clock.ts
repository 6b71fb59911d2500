// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Window } from "../flow/window.ts";
import type { HostSample } from "./detector.ts";
import { windowQuality } from "./guards.ts";
import type { Moment } from "./incident.ts";

/** Loss this recent still makes an anomaly doubtful. */
const DEGRADED_MS = 10_000;

/** What a window is worth, and what time it is by it. */
export interface Timed {
  readonly elapsedMs: number;
  readonly seconds: number;
  readonly degraded: boolean;
  readonly tainted: boolean;
  /** The newest sample of the host, null where it was seen before. */
  readonly host: HostSample | null;
}

/** The detectors' time, made of windows alone: it goes on by what they cover, and never back. */
export class TickClock {
  #elapsedMs = 0;
  #expectedStartMs = Number.NaN;
  #degradedUntilMs = 0;
  #interface = "";
  #host: HostSample | null = null;

  /** Milliseconds since the first window began. */
  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** Takes a window and the newest sample of the host. */
  advance(window: Window, host: HostSample | null): Timed {
    const durationMs = Math.max(0, window.endMs - window.startMs);
    const gapMs = window.startMs - this.#expectedStartMs;
    if (gapMs > 0) this.#elapsedMs += gapMs;
    this.#elapsedMs += durationMs;
    const { degraded, tainted } = windowQuality(window, this.#expectedStartMs);
    this.#expectedStartMs = window.endMs;
    if (degraded) this.#degradedUntilMs = this.#elapsedMs + DEGRADED_MS;
    const fresh = host === null || host.timeMs === this.#host?.timeMs ? null : host;
    this.#host = host;
    const names = window.capture.map((capture) => capture.interface);
    if (names.length > 0) this.#interface = [...new Set(names)].sort().join(",");
    const seconds = durationMs / 1000;
    return { elapsedMs: this.#elapsedMs, seconds, degraded, tainted, host: fresh };
  }

  /** The moment at the end of the window taken last, at which incidents are judged. */
  moment(timeMs: number, agent: string): Moment {
    return {
      timeMs,
      elapsedMs: this.#elapsedMs,
      interface: this.#interface,
      degraded: this.#elapsedMs <= this.#degradedUntilMs,
      agent,
    };
  }
}
