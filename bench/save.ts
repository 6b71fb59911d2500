// SPDX-License-Identifier: AGPL-3.0-or-later
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { BaselineStore } from "../src/baseline-store.ts";
import { systemClock } from "../src/util/clock.ts";
import { createLog } from "../src/util/log.ts";
import { type Bench, median, type Row } from "./bench.ts";
import { filled } from "./full-memories.ts";

const SAVES = 9;
/** A scrape is answered within so long, whatever else there is to do. */
const PAUSE_MS_MAX = 50;

/** How long a scrape has to wait for a save of baselines, where everything that is remembered is full. */
export const saveBench: Bench = {
  name: "save",
  what: "longest time for which a save of full baselines holds the thread, milliseconds",
  needsRoot: false,
  async run(say) {
    const directory = mkdtempSync(join(tmpdir(), "nam-bench-"));
    try {
      const { engine, registry } = filled();
      const log = createLog({ level: "error", format: "json" });
      const store = new BaselineStore({ directory, engine, registry, clock: systemClock, log });
      const pauses: number[] = [];
      for (let at = 0; at < SAVES; at++) pauses.push(await longestPause(() => store.save()));
      const bytes = statSync(join(directory, "baselines.json")).size;
      const atOnce = Array.from({ length: SAVES }, () =>
        timeOf(() => JSON.stringify(engine.remember())),
      );
      say(`${(bytes / 1e6).toFixed(1)} MB; longest pauses ${pauses.map((ms) => ms.toFixed(1))} ms`);
      return [row(median(pauses), median(atOnce), bytes)];
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
};

function row(pauseMs: number, atOnceMs: number, bytes: number): Row {
  return {
    what: `longest pause of a save of ${(bytes / 1e6).toFixed(1)} MB of baselines`,
    measured: `${pauseMs.toFixed(1)} ms`,
    against: `made at once: ${atOnceMs.toFixed(0)} ms`,
    ratio: pauseMs / atOnceMs,
    goal: `≤ ${PAUSE_MS_MAX} ms`,
    met: pauseMs <= PAUSE_MS_MAX,
  };
}

/** The longest time between two turns of the event loop, at each of which a scrape could have been answered. */
async function longestPause(work: () => Promise<void>): Promise<number> {
  let isDone = false;
  let longestMs = 0;
  let sinceMs = performance.now();
  const done = work().then(() => {
    isDone = true;
  });
  while (!isDone) {
    await setImmediate();
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - sinceMs);
    sinceMs = nowMs;
  }
  await done;
  return longestMs;
}

function timeOf(work: () => unknown): number {
  const sinceMs = performance.now();
  work();
  return performance.now() - sinceMs;
}
