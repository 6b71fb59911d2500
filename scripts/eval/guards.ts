// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "../../src/detect/detector.ts";
import { DetectionBench, randomOf, type Step } from "../../test/support/detection-bench.ts";
import { table } from "./section.ts";

const WARM_SECONDS = 3_600;
const HOUR_MS = 3_600_000;

interface Story {
  readonly name: string;
  readonly target: string;
  tell(): string;
}

/** What tries to fool a baseline, and what comes of it. */
export function guardTable(): string {
  return table(
    ["Story", "Target", "Measured"],
    STORIES.map((story) => [story.name, story.target, story.tell()]),
  );
}

const STORIES: readonly Story[] = [
  {
    name: "ramp of 1 % a minute, to 20 times",
    target: "drift within 6 h",
    tell: () => {
      const bench = warmed(WARM_SECONDS * 3);
      const startedMs = bench.timeMs;
      bench.run(6 * 3600, (at) => load(Math.min(20, 1.01 ** (at / 60))));
      const first = opened(bench.events).find(({ detector }) => detector === "drift");
      return first ? `drift after ${hours(first.time * 1000 - startedMs)}` : "**no drift**";
    },
  },
  {
    name: "five times as much, for good",
    target: "one alarm, over in 35 min",
    tell: () => {
      const bench = warmed();
      const startedMs = bench.timeMs;
      bench.run(3600, () => load(5));
      const spikes = opened(bench.events).filter(({ detector }) => detector === "volume_spike");
      const over = bench.events.find(
        ({ detector, state }) => detector === "volume_spike" && state === "resolved",
      );
      return `${spikes.length} alarm, ${over ? `over after ${minutes(over.time * 1000 - startedMs)}` : "**not over**"}`;
    },
  },
  {
    name: "nothing for an hour, then 100/s for good",
    target: "over in 35 min, no NaN",
    tell: () => {
      const bench = new DetectionBench();
      bench.run(WARM_SECONDS, { packets: {} });
      const startedMs = bench.timeMs;
      bench.run(3600, () => load(1));
      const last = bench.events
        .filter(({ state, detector }) => state === "resolved" && detector === "volume_spike")
        .at(-1);
      const finite = bench.engine
        .signals()
        .every(({ z, mean, stddev }) => [z, mean, stddev].every(Number.isFinite));
      return `${last ? `over after ${minutes(last.time * 1000 - startedMs)}` : "**not over**"}, ${finite ? "all numbers finite" : "**NaN**"}`;
    },
  },
  {
    name: "attacked from the first second",
    target: "no alarm of its end, then normal",
    tell: () => {
      const bench = new DetectionBench();
      bench.run(900, () => load(50));
      bench.run(7200, () => load(1));
      return names(opened(bench.events));
    },
  },
  {
    name: "capture gap of 30 s",
    target: "no alarm",
    tell: () => quiet((bench) => (bench.timeMs += 30_000)),
  },
  {
    name: "clock one hour ahead",
    target: "no alarm",
    tell: () => quiet((bench) => (bench.timeMs += HOUR_MS)),
  },
  {
    name: "clock one hour back",
    target: "no alarm",
    tell: () => quiet((bench) => (bench.timeMs -= HOUR_MS)),
  },
  {
    name: "counters that restart (one window of nothing, tainted)",
    target: "no alarm",
    tell: () => quiet((bench) => bench.step({ packets: {}, capture: null })),
  },
  {
    name: "restart with the baselines kept",
    target: "z differs by at most 0.5 after 60 s",
    tell: () => {
      const before = warmed();
      const after = new DetectionBench({ startMs: before.timeMs + 5000 });
      after.engine.recall(JSON.parse(JSON.stringify(before.engine.remember())), false);
      const steps = Array.from({ length: 60 }, () => load(1));
      for (const step of steps) {
        before.step(step);
        after.step(step);
      }
      const difference = Math.abs(
        before.signal("test_p0", "ewma").z - after.signal("test_p0", "ewma").z,
      );
      return difference.toFixed(3);
    },
  },
];

const random = randomOf(11);

function load(factor: number): Step {
  return { packets: { p0: factor * (90 + 20 * random()), p1: 90 + 20 * random() } };
}

function warmed(seconds = WARM_SECONDS): DetectionBench {
  const bench = new DetectionBench();
  bench.run(seconds, () => load(1));
  return bench;
}

function quiet(disturb: (bench: DetectionBench) => void): string {
  const bench = warmed();
  disturb(bench);
  bench.run(600, () => load(1));
  return names(opened(bench.events));
}

function opened(events: readonly Anomaly[]): Anomaly[] {
  return events.filter(({ state }) => state === "open");
}

function names(events: readonly Anomaly[]): string {
  return events.length === 0
    ? "nothing"
    : events.map(({ detector, severity }) => `${detector} (${severity})`).join(", ");
}

function minutes(ms: number): string {
  return `${Math.round(ms / 60_000)} min`;
}

function hours(ms: number): string {
  return `${(ms / HOUR_MS).toFixed(1)} h`;
}
