// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import { readFileSync, renameSync, statSync } from "node:fs";
import { mkdir, open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type EngineMemory, engineMemory, type MemoryParts } from "./detect/memory.ts";
import type { MetricDefinition } from "./metrics/metric.ts";
import type { CounterInstrument, GaugeInstrument, MetricsRegistry } from "./metrics/registry.ts";
import type { Clock } from "./util/clock.ts";
import { messageOf } from "./util/errors.ts";
import { jsonPieces, memberPieces } from "./util/json-pieces.ts";
import type { Log } from "./util/log.ts";

/** Raised whenever what the numbers mean changes. Files of the first version hold signals alone. */
const VERSION = 2;
const SIGNALS_ONLY = 1;
const SAVE_EVERY_MS = 300_000;
/** After this long the fast baselines say nothing about now; the seasons still do. */
const OLD_MS = 24 * 3_600_000;
/** Longest time for which a save holds the thread on purpose, so that scrapes are answered meanwhile. */
const SLICE_MS = 5;
/** A file beyond this is not one of ours: where all that is remembered is full, one has about 12 MB (bench/save.ts). */
const FILE_LIMIT_BYTES = 64 * 1024 * 1024;

const lastSave: MetricDefinition = {
  name: "nam_baseline_last_save_timestamp_seconds",
  help: "When the baselines were last written to the storage path; 0 before the first time.",
  type: "gauge",
};
const saves: MetricDefinition = {
  name: "nam_baseline_saves_total",
  help: "Attempts to write the baselines to the storage path.",
  type: "counter",
  labels: { outcome: ["saved", "failed"] },
};

export const baselineStoreMetrics: readonly MetricDefinition[] = [lastSave, saves];

export interface BaselineStoreOptions {
  readonly directory: string;
  readonly engine: {
    memories(): MemoryParts;
    recall(memory: EngineMemory, isOld: boolean): void;
  };
  readonly registry: MetricsRegistry;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Baselines over restarts: read once at the start, written every five minutes and at the stop, a few milliseconds at a
 * time. A file is replaced as a whole or not at all; one that is damaged is moved aside, said, and the baselines begin
 * anew. Nothing here is fatal.
 */
export class BaselineStore {
  readonly #options: BaselineStoreOptions;
  readonly #file: string;
  readonly #lastSave: GaugeInstrument;
  readonly #saves: CounterInstrument;
  #nextMs: number;
  #failed = false;
  /** The last save, under way or done: two at once would write one file. */
  #saved = Promise.resolve();

  constructor(options: BaselineStoreOptions) {
    this.#options = options;
    this.#file = join(options.directory, "baselines.json");
    this.#lastSave = options.registry.gauge(lastSave);
    this.#saves = options.registry.counter(saves);
    this.#nextMs = options.clock.monotonicMs() + SAVE_EVERY_MS;
    this.#load();
  }

  /** Saves where it is time to; called once a tick. */
  tick(): void {
    if (this.#options.clock.monotonicMs() >= this.#nextMs) void this.save();
  }

  /** Writes the baselines, after a save that is under way; resolves once that is over. A disk that fails is reported once. */
  save(): Promise<void> {
    this.#nextMs = this.#options.clock.monotonicMs() + SAVE_EVERY_MS;
    this.#saved = this.#saved.then(() => this.#write());
    return this.#saved;
  }

  async #write(): Promise<void> {
    const { clock, directory, engine, log } = this.#options;
    try {
      await mkdir(directory, { recursive: true, mode: 0o750 });
      const { text, sha256 } = await written(bodyPieces(engine.memories()), clock);
      const header = JSON.stringify({ version: VERSION, savedMs: clock.now(), sha256 });
      await replaceFile(this.#file, [Buffer.from(`${header}\n`), ...text, Buffer.from("\n")]);
      this.#lastSave.set({}, clock.now() / 1000);
      this.#saves.inc({ outcome: "saved" });
      this.#failed = false;
    } catch (error) {
      this.#saves.inc({ outcome: "failed" });
      if (!this.#failed) log.error({ error: messageOf(error) }, "baselines cannot be saved");
      this.#failed = true;
    }
  }

  #load(): void {
    const { clock, engine, log } = this.#options;
    try {
      const size = statSync(this.#file, { throwIfNoEntry: false })?.size;
      if (size === undefined) return;
      if (size > FILE_LIMIT_BYTES) throw new Error(`${size} bytes are too many`);
      const { memory, savedMs } = parse(readFileSync(this.#file, "utf8"));
      const ageMs = clock.now() - savedMs;
      engine.recall(memory, ageMs > OLD_MS || ageMs < 0);
      log.info({ ageSeconds: Math.round(ageMs / 1000) }, "baselines loaded");
    } catch (error) {
      log.warn({ error: messageOf(error) }, "baselines cannot be read; they begin anew");
      this.#moveAside();
    }
  }

  #moveAside(): void {
    const aside = `${this.#file}.damaged`;
    try {
      renameSync(this.#file, aside);
      this.#options.log.warn({ file: aside }, "damaged baselines moved aside");
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, "damaged baselines cannot be moved");
    }
  }
}

/** Throws where the text is not what was written. */
function parse(text: string): { memory: EngineMemory; savedMs: number } {
  const end = text.indexOf("\n");
  const header = JSON.parse(text.slice(0, end)) as Record<string, unknown> | null;
  const isFirst = header?.version === SIGNALS_ONLY;
  if (header?.version !== VERSION && !isFirst) {
    throw new Error(`version ${header?.version} is not ${VERSION}`);
  }
  const body = text.slice(end + 1).trimEnd();
  if (header.sha256 !== digest(body)) throw new Error("the checksum does not match");
  const savedMs = Number(header.savedMs);
  if (!Number.isFinite(savedMs)) throw new Error("the time is missing");
  const memory: unknown = JSON.parse(body);
  const whole = isFirst ? { signals: memory, detectors: {} } : memory;
  return { memory: engineMemory.parse(whole), savedMs };
}

function digest(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

/** The text of an `EngineMemory`. */
function* bodyPieces({ signals, detectors, coolDowns }: MemoryParts): Generator<string> {
  yield '{"signals":';
  yield* memberPieces(signals);
  yield ',"detectors":';
  yield* memberPieces(detectors);
  yield ',"coolDowns":';
  yield* jsonPieces(coolDowns());
  yield "}";
}

/** The pieces together and their checksum; whatever else there is to do is done in between. */
async function written(
  pieces: Iterable<string>,
  clock: Clock,
): Promise<{ text: Buffer[]; sha256: string }> {
  const text: Buffer[] = [];
  const hash = createHash("sha256");
  let slice = "";
  let sinceMs = clock.monotonicMs();
  const cut = (): void => {
    const bytes = Buffer.from(slice);
    hash.update(bytes);
    text.push(bytes);
    slice = "";
  };
  for (const piece of pieces) {
    slice += piece;
    if (clock.monotonicMs() - sinceMs < SLICE_MS) continue;
    cut();
    await setImmediate();
    sinceMs = clock.monotonicMs();
  }
  cut();
  return { text, sha256: hash.digest("hex") };
}

/** Whoever reads the file sees the old text or the new one, also after a power cut. */
async function replaceFile(path: string, text: readonly Buffer[]): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o640);
  try {
    await writeFile(file, text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
