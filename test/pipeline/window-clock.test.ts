// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { expect, test } from "vitest";
import { WindowClock } from "../../src/window-clock.ts";

const T0 = 1_700_000_000_000;

function run(times: readonly number[]): {
  windows: [number, number][];
  clock: WindowClock;
  flow: number[];
} {
  const clock = new WindowClock(1000);
  const windows: [number, number][] = [];
  const flow: number[] = [];
  for (const time of times) {
    clock.advance(time, (startMs, endMs) => windows.push([startMs - T0, endMs - T0]));
    flow.push(clock.flowMs);
  }
  return { windows, clock, flow };
}

/** The same with times as packets carry them. */
function runPackets(times: readonly number[]): ReturnType<typeof run> {
  const clock = new WindowClock(1000);
  const windows: [number, number][] = [];
  const flow: number[] = [];
  for (const time of times) {
    const seconds = Math.floor(time / 1000);
    clock.packet(seconds, (time - seconds * 1000) * 1e6, (startMs, endMs) =>
      windows.push([startMs - T0, endMs - T0]),
    );
    flow.push(clock.flowMs);
  }
  return { windows, clock, flow };
}

test("windows lie on whole seconds and close when a later packet comes", () => {
  const { windows, clock } = run([T0 + 200, T0 + 900, T0 + 1000, T0 + 1500]);
  expect(windows).toEqual([[0, 1000]]);
  expect(clock.startMs).toBe(T0 + 1000);
});

test("a short silence makes one window a second, a long one a single window", () => {
  expect(run([T0, T0 + 3500]).windows).toEqual([
    [0, 1000],
    [1000, 2000],
    [2000, 3000],
  ]);
  expect(run([T0, T0 + 3_600_500]).windows).toEqual([
    [0, 1000],
    [1000, 3_600_000],
  ]);
});

test("a packet that is a little late is clamped into the open window", () => {
  const { windows, clock, flow } = run([T0 + 1100, T0 + 900, T0 + 1200]);
  expect(windows).toEqual([]);
  expect(clock.steps).toBe(0);
  expect(flow).toEqual([0, 0, 100]);
});

test("a clock that steps back an hour moves the windows and is counted once", () => {
  const { windows, clock, flow } = run([T0, T0 + 500, T0 - 3_600_000, T0 - 3_600_000 + 700]);
  expect(windows).toEqual([[0, 1000]]);
  expect(clock.steps).toBe(1);
  expect(clock.startMs).toBe(T0 - 3_600_000);
  expect(flow).toEqual([0, 500, 500, 1200]);
});

test("a leap of decades makes two windows, not a billion", () => {
  const { windows, clock } = run([T0, T0 + 80 * 365 * 86_400_000]);
  expect(windows).toEqual([[0, 1000]]);
  expect(clock.steps).toBe(1);
});

test("whatever the timestamps: flow time never goes back, windows are ordered or a step is counted", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e7, max: 1e9 }), { maxLength: 50 }), (offsets) => {
      const { windows, clock, flow } = run(offsets.map((offset) => T0 + offset));
      for (let i = 1; i < flow.length; i++)
        expect(flow[i]).toBeGreaterThanOrEqual(flow[i - 1] ?? 0);
      const back = windows.filter(([start], i) => i > 0 && start < (windows[i - 1]?.[1] ?? 0));
      expect(back.length).toBeLessThanOrEqual(clock.steps);
      for (const [start, end] of windows) expect(end).toBeGreaterThan(start);
      expect(windows.length).toBeLessThanOrEqual(offsets.length * 62);
    }),
  );
});

test("packets of one second, for which whole numbers do, are timed as any other", () => {
  const near = fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 60 });
  const far = fc.array(fc.integer({ min: -1e7, max: 1e8 }), { maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(near, far), (offsets) => {
      const times = offsets.map((offset) => T0 + offset);
      const either = runPackets(times);
      const expected = run(times);
      expect(either.flow).toEqual(expected.flow);
      expect(either.windows).toEqual(expected.windows);
      expect(either.clock.steps).toBe(expected.clock.steps);
    }),
    { numRuns: 500 },
  );
});
