// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BaselineStore, type BaselineStoreOptions } from "../../src/baseline-store.ts";
import { createLog } from "../../src/util/log.ts";
import { DetectionBench, randomOf, type Step } from "../support/detection-bench.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { mixRows } from "../support/gallery-shared.ts";

let directory = "";
let lines: string[] = [];
const clock = new FakeClock();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nam-baselines-"));
  lines = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (): string => join(directory, "baselines.json");

type Learner = Pick<BaselineStoreOptions, "engine" | "registry">;

function storeOf({ engine, registry }: Learner, at = clock): BaselineStore {
  const log = createLog({
    level: "info",
    format: "json",
    target: { write: (line: string) => lines.push(line) },
  });
  return new BaselineStore({
    directory,
    engine,
    registry,
    clock: at,
    log,
  });
}

const random = randomOf(3);
const usual = (): Step => ({ packets: { p0: 90 + 20 * random() } });

function learned(): DetectionBench {
  const bench = new DetectionBench();
  bench.run(900, usual);
  return bench;
}

describe("baselines over a restart", () => {
  it("go on where they were: scores after the restart are those without it", async () => {
    const before = learned();
    await storeOf(before).save();
    const after = new DetectionBench({ startMs: before.timeMs + 5000 });
    storeOf(after);
    for (let at = 0; at < 60; at++) {
      const step = usual();
      before.step(step);
      after.step(step);
      for (const baseline of ["rolling", "ewma"] as const) {
        const { samples, ready } = before.signal("test_p0", baseline);
        expect(after.signal("test_p0", baseline)).toMatchObject({ samples, ready });
      }
    }
    for (const baseline of ["rolling", "ewma", "robust"] as const) {
      const restarted = after.signal("test_p0", baseline);
      expect(restarted.ready).toBe(true);
      expect(Math.abs(restarted.z - before.signal("test_p0", baseline).z)).toBeLessThan(0.5);
    }
  });

  it("find an incident again that was open at the restart: it goes on untold, and its end is told", async () => {
    const before = learned();
    const flood: Step = { packets: { p0: 5000 } };
    before.run(60, flood);
    const [open] = before.engine.active();
    await storeOf(before).save();
    const after = new DetectionBench({ startMs: before.timeMs + 5000 });
    storeOf(after);
    after.engine.restore(before.engine.active());
    after.run(20, flood);
    expect(after.events).toEqual([]);
    expect(after.engine.active()).toMatchObject([{ id: open?.id, detector: "volume_spike" }]);
    expect(after.engine.active()[0]?.count).toBeGreaterThan(open?.count ?? 0);
    after.run(800, usual);
    expect(after.events).toMatchObject([{ id: open?.id, state: "resolved" }]);
  });

  it("tell it once more only where nobody knows that it was told", async () => {
    const before = learned();
    const flood: Step = { packets: { p0: 5000 } };
    before.run(60, flood);
    await storeOf(before).save();
    const after = new DetectionBench({ startMs: before.timeMs + 5000 });
    storeOf(after);
    after.run(20, flood);
    after.run(200, usual);
    expect(after.events.map(({ detector, state }) => `${detector} ${state}`)).toEqual([
      "volume_spike open",
      "volume_spike resolved",
    ]);
  });

  it("are only seasons when they are more than a day old", async () => {
    const before = learned();
    await storeOf(before).save();
    const later = new FakeClock(clock.now() + 25 * 3_600_000);
    const after = new DetectionBench();
    storeOf(after, later);
    expect(after.engine.remember().signals["test_p0 packets"]).toMatchObject({
      rolling: [],
      ewma: { samples: 0 },
      seasonal: { samples: 3 },
    });
  });
});

describe("what detectors have learned", () => {
  const mix = (flows: number, spread = {}): Step => ({
    rows: { flow_mix: mixRows(random, flows, spread) },
  });
  const told = (bench: DetectionBench): string[] => {
    bench.run(40, () => mix(400, { sources: 512, destinations: 1 }));
    return bench.events.map(({ detector }) => detector);
  };
  const learnedMix = (): DetectionBench => {
    const bench = new DetectionBench();
    bench.run(700, () => mix(40));
    return bench;
  };

  it("goes on over a restart", async () => {
    const before = learnedMix();
    await storeOf(before).save();
    const after = new DetectionBench({ startMs: before.timeMs + 5000 });
    storeOf(after);
    expect(told(after)).toContain("entropy_shift");
    expect(told(new DetectionBench())).not.toContain("entropy_shift");
  });

  it("is left out where it is not what the detector wrote, and the rest is taken", () => {
    const memory = learnedMix().engine.remember();
    const after = new DetectionBench();
    after.engine.recall({ ...memory, detectors: { entropy_shift: { sources: 1 } } }, false);
    expect(after.engine.remember()).toEqual({
      ...memory,
      detectors: new DetectionBench().engine.remember().detectors,
    });
  });
});

describe("the file of baselines", () => {
  it("of the first version, which held signals alone, is read", () => {
    const bench = learned();
    const body = JSON.stringify(bench.engine.remember().signals);
    const sha256 = createHash("sha256").update(body).digest("hex");
    const header = JSON.stringify({ version: 1, savedMs: clock.now(), sha256 });
    writeFileSync(file(), `${header}\n${body}\n`);
    const after = new DetectionBench();
    storeOf(after);
    expect(after.signal("test_p0", "ewma").ready).toBe(false);
    after.step(usual());
    expect(after.signal("test_p0", "ewma").ready).toBe(true);
    expect(existsSync(`${file()}.damaged`)).toBe(false);
  });

  it("is written every five minutes and says when", { timeout: 30_000 }, async () => {
    const bench = learned();
    const own = new FakeClock();
    const store = storeOf(bench, own);
    const saves = (): Promise<number> => bench.series('nam_baseline_saves_total{outcome="saved"}');
    store.tick();
    expect(existsSync(file())).toBe(false);
    await own.advance(300_001);
    store.tick();
    await vi.waitFor(async () => expect(await saves()).toBe(1), 25_000);
    expect(existsSync(file())).toBe(true);
    expect(existsSync(`${file()}.new`)).toBe(false);
    expect(await bench.series("nam_baseline_last_save_timestamp_seconds")).toBe(own.now() / 1000);
  });

  it("is made a few milliseconds at a time, while ticks go on", async () => {
    const bench = learned();
    const { engine, registry } = bench;
    let turn = 0;
    const asked = new Set<number>();
    function* noting<Part>(parts: Iterable<Part>): Generator<Part> {
      for (const part of parts) {
        asked.add(turn);
        yield part;
      }
    }
    const memories = () => {
      const { signals, detectors, coolDowns } = engine.memories();
      return { signals: noting(signals), detectors: noting(detectors), coolDowns };
    };
    const recall = (): void => undefined;
    let nowMs = 0;
    const eachAMillisecond = Object.assign(new FakeClock(), { monotonicMs: () => nowMs++ });
    const store = storeOf({ engine: { memories, recall }, registry }, eachAMillisecond);
    let isSaved = false;
    const saved = store.save().then(() => {
      isSaved = true;
    });
    for (; !isSaved; turn++) {
      bench.step(usual());
      await setImmediate();
    }
    await saved;
    expect(asked.size).toBeGreaterThan(20);
    const after = new DetectionBench();
    storeOf(after);
    expect(existsSync(`${file()}.damaged`)).toBe(false);
    after.step(usual());
    expect(after.signal("test_p0", "ewma").ready).toBe(true);
  });

  it("is written by one save after the other", async () => {
    const bench = learned();
    const store = storeOf(bench);
    await Promise.all([store.save(), store.save(), store.save()]);
    expect(existsSync(`${file()}.new`)).toBe(false);
    expect(await bench.series('nam_baseline_saves_total{outcome="saved"}')).toBe(3);
    expect(lines).toEqual([]);
    storeOf(new DetectionBench());
    expect(existsSync(`${file()}.damaged`)).toBe(false);
  });

  it("stays small", async () => {
    await storeOf(learned()).save();
    expect(statSync(file()).size).toBeLessThan(27 * 30_000);
  });

  it.each([
    ["cut short", (text: string) => text.slice(0, text.length / 2)],
    ["changed by one digit", (text: string) => text.replace(/"level":\d/, '"level":9')],
    ["empty", () => ""],
    ["no JSON", () => "\u0000\u0001 what is this"],
    ["of another version", (text: string) => text.replace('"version":2', '"version":99')],
  ])("that is %s is moved aside, said, and costs nothing but itself", async (_, damage) => {
    await storeOf(learned()).save();
    writeFileSync(file(), damage(readFileSync(file(), "utf8")));
    const bench = new DetectionBench();
    const store = storeOf(bench);
    expect(existsSync(file())).toBe(false);
    expect(existsSync(`${file()}.damaged`)).toBe(true);
    expect(lines.map((line) => JSON.parse(line).msg)).toContain("damaged baselines moved aside");
    bench.run(10, usual);
    await store.save();
    expect(existsSync(file())).toBe(true);
  });

  it("that cannot be written is said once, and counted", async () => {
    const bench = learned();
    const store = storeOf(bench);
    rmSync(directory, { recursive: true });
    writeFileSync(directory, "a file where the folder was");
    await store.save();
    await store.save();
    expect(lines).toHaveLength(1);
    expect(await bench.series('nam_baseline_saves_total{outcome="failed"}')).toBe(2);
  });
});
