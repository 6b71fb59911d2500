// SPDX-License-Identifier: AGPL-3.0-or-later
import { expect, test } from "vitest";
import type { Window } from "../../src/flow/window.ts";
import { Pacer } from "../../src/pacer.ts";
import { WindowMerger } from "../../src/window-merger.ts";
import { WindowOutlet } from "../../src/window-outlet.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { makeWindow, START_MS } from "../support/windows.ts";

function window(sensor: number, second: number): Window {
  return {
    ...makeWindow({ startMs: START_MS + second * 1000, counters: Float64Array.of(1) }),
    sensor,
  };
}

function counted(windows: readonly Window[]): number {
  return windows.reduce((sum, { counters }) => sum + (counters[0] ?? 0), 0);
}

test("a reader that keeps up gets every window as it is", () => {
  const sent: Window[] = [];
  const outlet = new WindowOutlet((w) => sent.push(w));
  for (let second = 0; second < 10; second++) {
    outlet.offer(window(0, second));
    outlet.acknowledge();
  }
  expect(sent.map(({ ticks }) => ticks)).toEqual(Array(10).fill(1));
});

test("a reader that hangs gets fewer, merged windows, and loses nothing", () => {
  const sent: Window[] = [];
  const outlet = new WindowOutlet((w) => sent.push(w));
  for (let second = 0; second < 100; second++) outlet.offer(window(0, second));
  expect(sent).toHaveLength(4);
  outlet.acknowledge();
  expect(sent).toHaveLength(5);
  expect(sent[4]?.ticks).toBe(96);
  expect(sent[4]?.startMs).toBe(START_MS + 4000);
  expect(counted(sent)).toBe(100);
});

test("sensors of one tick become one window, and a late one joins the next tick", async () => {
  const clock = new FakeClock();
  const merged: Window[] = [];
  const merger = new WindowMerger(2, clock, (w) => merged.push(w));
  merger.offer(window(0, 0));
  expect(merged).toHaveLength(0);
  merger.offer(window(1, 0));
  expect(merged).toHaveLength(1);
  merger.offer(window(0, 1));
  await clock.advance(1_000);
  expect(merged).toHaveLength(2);
  merger.offer(window(1, 1));
  merger.offer(window(0, 2));
  expect(merged).toHaveLength(3);
  expect(counted(merged)).toBe(5);
});

test("one sensor is not made to wait", () => {
  const merged: Window[] = [];
  new WindowMerger(1, new FakeClock(), (w) => merged.push(w)).offer(window(0, 0));
  expect(merged).toHaveLength(1);
});

test("packets are due at the pace they were captured at, times the speed", async () => {
  const clock = new FakeClock();
  const pacer = new Pacer(2, clock);
  expect(pacer.waitMs(5_000)).toBe(0);
  expect(pacer.waitMs(6_000)).toBe(500);
  await clock.advance(500);
  expect(pacer.waitMs(6_000)).toBe(0);
  expect(pacer.waitMs(8_000)).toBe(1_000);
});

test("a leap of years or a step back is not waited for", () => {
  const pacer = new Pacer(1, new FakeClock());
  pacer.waitMs(0);
  expect(pacer.waitMs(1e12)).toBe(0);
  expect(pacer.waitMs(1e12 + 100)).toBe(100);
  expect(pacer.waitMs(1e12 - 60_000)).toBe(0);
});
