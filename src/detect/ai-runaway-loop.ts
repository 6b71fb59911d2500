// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { type AiCallRow, entityOf, hasProvider, targetOf } from "./ai-targets.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { pseudonymOf } from "./pseudonym.ts";
import { addressFilter } from "./suggestions.ts";
import { count, number } from "./text.ts";
import { UsualHours, type UsualMemory, usualMemory } from "./usual-hours.ts";

const CAPACITY = 4096;
const MINUTE_MS = 60_000;
const MINUTES = 5;
/** Of the last five minutes so many must be busy: one burst is no loop. */
const BUSY_MINUTES = 4;
const BUSY_CALLS = 10;
/** Calls in five minutes that are a deviation at least. */
const FLOOR = 5;
/** Deviations by which five minutes may exceed the usual ones without adding to the drift. */
const SLACK = 1;
/** What others than models are called often by design. */
const QUIET_CATEGORIES: readonly string[] = [
  ...["telemetry", "observability", "control_plane", "model_hub", "vector_db"],
];

const settings = z.strictObject({
  calls: z
    .int()
    .min(1)
    .default(60)
    .describe("Calls of one host to one provider in five minutes, below which nothing is told."),
  score: z
    .number()
    .min(1)
    .default(6)
    .describe(
      "Deviations above the most calls in five minutes that the host's busy hours usually have.",
    ),
  drift: z
    .number()
    .min(1)
    .default(8)
    .describe(
      "Deviations by which the host's calls may exceed the usual ones in all, five minutes after five minutes and one of each left out, where no five minutes are enough by themselves. It is not told any more once five minutes are usual.",
    ),
  calls_always: z
    .int()
    .min(1)
    .default(1200)
    .describe("Calls in five minutes that are told of a host whose usual hours are not known yet."),
  learn_seconds: z
    .number()
    .min(1)
    .default(86_400)
    .describe("Seconds for which a host's calls are learned before they are judged."),
  shared_addresses: z
    .array(z.string().min(1))
    .default([])
    .describe("Addresses behind which many hosts are, as those of proxies; they are not judged."),
});
type Settings = z.infer<typeof settings>;

/** What is usual, by client and target, whose name is hidden; the last minutes are not kept over a restart. */
const memorySchema = z.array(z.tuple([z.string(), usualMemory])).max(CAPACITY);

/** Calls of the last minutes, what is usual, and how far they have been above it for a while. */
class Calls {
  readonly usual: UsualHours;
  readonly #minutes = new Float64Array(MINUTES);
  #minute = 0;
  /**
   * By CUSUM (Page 1954): deviations above the usual that the last spans of five minutes add up to. Whoever reads it
   * bounds it: what is more than enough to tell would be told for hours after the calls are usual again.
   */
  drift = 0;
  #span: number;
  #spanCalls = 0;

  constructor(usual: UsualHours, elapsedMs: number) {
    this.usual = usual;
    this.#minute = Math.floor(elapsedMs / MINUTE_MS);
    this.#span = Math.floor(this.#minute / MINUTES);
  }

  add(calls: number, elapsedMs: number): void {
    const minute = Math.floor(elapsedMs / MINUTE_MS);
    const passed = Math.min(minute - this.#minute, MINUTES);
    for (let i = 1; i <= passed; i++) this.#minutes[(this.#minute + i) % MINUTES] = 0;
    this.#minute = minute;
    this.#drift(Math.floor(minute / MINUTES));
    this.#spanCalls += calls;
    const at = minute % MINUTES;
    this.#minutes[at] = (this.#minutes[at] ?? 0) + calls;
  }

  #drift(span: number): void {
    if (span === this.#span) return;
    const above = this.usual.score(this.#spanCalls, FLOOR) - SLACK;
    // A span without calls ends it.
    this.drift = span === this.#span + 1 ? Math.max(0, this.drift + above) : 0;
    this.#span = span;
    this.#spanCalls = 0;
  }

  get sum(): number {
    return this.#minutes.reduce((sum, calls) => sum + calls, 0);
  }

  get busyMinutes(): number {
    return this.#minutes.filter((calls) => calls >= BUSY_CALLS).length;
  }
}

/** A program calls a model again and again, and nobody stops it. */
export const aiRunawayLoop: DetectorDefinition<Settings> = {
  name: "ai_runaway_loop",
  class: "ai",
  help: "A host calls one AI provider far more often within five minutes, and steadily, than its busy hours have: a program that does not end its work costs money. Critical where its uploads also grow from call to call, as those of an agent do. Calls side by side in HTTP/2 count as one.",
  severities: ["warning", "critical"],
  settings,
  quietSeconds: 60,
  create: (own) => new RunawayLoops(own),
};

class RunawayLoops implements Detector {
  readonly #settings: Settings;
  readonly #shared: ReadonlySet<string>;
  readonly #calls = new BoundedMap<Calls>(CAPACITY);
  #elapsedMs = 0;

  constructor(own: Settings) {
    this.#settings = own;
    this.#shared = new Set(own.shared_addresses);
  }

  evaluate(tick: Tick): Finding[] {
    const { ai_calls, ai_agents } = tick.window.rows;
    this.#elapsedMs = tick.elapsedMs;
    const loops = new Set(ai_agents.filter(({ hasLoop }) => hasLoop).map(({ client }) => client));
    const rows = new Map<string, AiCallRow[]>();
    for (const row of ai_calls) {
      if (QUIET_CATEGORIES.includes(row.category) || this.#shared.has(row.client)) continue;
      const target = targetOf(row);
      const key = `${row.client} ${hasProvider(row) ? target : pseudonymOf(target)}`;
      rows.set(key, [...(rows.get(key) ?? []), row]);
    }
    return [...rows].flatMap(([key, own]) => this.#judge(key, own, tick, loops));
  }

  remember(): unknown {
    return this.#calls.remember(({ usual }): UsualMemory => usual.remember(this.#elapsedMs));
  }

  recall(memory: unknown, elapsedMs: number): void {
    const revive = (own: UsualMemory): Calls =>
      new Calls(UsualHours.recall(own, elapsedMs), elapsedMs);
    this.#calls.recall(memorySchema.parse(memory), revive);
    this.#elapsedMs = elapsedMs;
  }

  #judge(
    key: string,
    rows: readonly AiCallRow[],
    { elapsedMs, tainted }: Tick,
    loops: ReadonlySet<string>,
  ): Finding[] {
    const own = this.#settings;
    const calls = this.#calls.use(key, () => new Calls(new UsualHours(elapsedMs), elapsedMs));
    calls.add(
      rows.reduce((sum, row) => sum + row.calls, 0),
      elapsedMs,
    );
    const { sum } = calls;
    const isKnown = calls.usual.isKnown(elapsedMs, own.learn_seconds);
    const score = isKnown ? calls.usual.score(sum, FLOOR) : null;
    calls.drift = isKnown ? Math.min(calls.drift, own.drift) : 0;
    if (!tainted) calls.usual.raise(sum, elapsedMs);
    const [row] = rows;
    if (row === undefined || calls.busyMinutes < BUSY_MINUTES) return [];
    const isMuch = score === null ? sum >= own.calls_always : sum >= own.calls;
    const isFar =
      score === null || score >= own.score || (score > SLACK && calls.drift >= own.drift);
    return isMuch && isFar ? [this.#finding(row, calls, score, loops.has(row.client))] : [];
  }

  #finding(row: AiCallRow, { sum, usual }: Calls, score: number | null, hasLoop: boolean): Finding {
    const own = this.#settings;
    const target = targetOf(row);
    const isDrift = score !== null && score < own.score;
    return {
      entity: entityOf(row),
      severity: hasLoop ? "critical" : "warning",
      protocol: row.protocol,
      observed: sum,
      expected: usual.usual,
      ...(score === null ? {} : { z: score }),
      threshold:
        score === null
          ? { value: own.calls_always, setting: "detectors.ai_runaway_loop.calls_always" }
          : isDrift
            ? { value: own.drift, setting: "detectors.ai_runaway_loop.drift" }
            : { value: own.score, setting: "detectors.ai_runaway_loop.score" },
      windowSeconds: (MINUTES * MINUTE_MS) / 1000,
      samples: sum,
      evidence: [
        `${count(sum, "call")} in five minutes, in all but one of these at least ten`,
        score === null
          ? "what is usual for the host is not known yet"
          : `its busy hours have ${number(usual.usual)} in five minutes`,
        ...(isDrift ? [`for a while now, by ${number(own.drift)} deviations and more in all`] : []),
        hasLoop
          ? "its uploads grow from call to call, as an agent's do"
          : "its uploads do not grow from call to call",
        hasProvider(row) ? `the provider is ${target}` : `${target} is no known provider`,
      ],
      explanation: `${row.client} called ${target} ${count(sum, "time")} within five minutes${
        score === null ? "" : `, where ${number(usual.usual)} is usual`
      }: a program works in a loop, and pays for each turn.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", row.client)} && ${row.protocol}`,
        promql: "sum by (provider) (rate(nam_ai_calls_total[5m]))",
      },
    };
  }
}
