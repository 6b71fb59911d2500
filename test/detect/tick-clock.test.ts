// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { TickClock } from "../../src/detect/tick-clock.ts";
import { hostSample } from "../support/detection-bench.ts";
import { makeWindow, START_MS } from "../support/windows.ts";

/** A clock that has taken windows of a second, beginning at these seconds. */
function ticked(...seconds: readonly number[]): TickClock {
  const clock = new TickClock();
  for (const second of seconds) {
    clock.advance(makeWindow({ startMs: START_MS + second * 1000 }), null);
  }
  return clock;
}

describe("the detectors' time", () => {
  it("is what windows cover, gaps between them included", () => {
    expect(ticked(0, 1).elapsedMs).toBe(2000);
    expect(ticked(0, 1, 31).elapsedMs).toBe(32_000);
  });

  it("never goes back with the clock", () => {
    expect(ticked(0, 1, -3600).elapsedMs).toBe(3000);
  });

  it("does not either with a window that was over before it began", () => {
    const clock = ticked(0, 1);
    const window = makeWindow({ startMs: START_MS + 2000, seconds: -0.5 });
    expect(clock.advance(window, null)).toMatchObject({ elapsedMs: 2000, seconds: 0 });
  });

  it("tells a sample of the host once", () => {
    const clock = new TickClock();
    const told = [1, 1, 2].map((timeMs, at) => {
      const window = makeWindow({ startMs: START_MS + at * 1000 });
      return clock.advance(window, hostSample(timeMs)).host?.timeMs ?? null;
    });
    expect(told).toEqual([1, null, 2]);
  });
});
