// SPDX-License-Identifier: AGPL-3.0-or-later
import { median, medianAbsoluteDeviation, quantile } from "simple-statistics";
import { z } from "../util/zod.ts";
import { type AiCallRow, entityOf, hasProvider, targetOf } from "./ai-targets.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { bytes, count, duration, percent } from "./text.ts";

const CAPACITY = 4096;
const HOUR_MS = 3_600_000;
/** Intervals and sizes that are looked at. */
const KEPT = 32;
/** Intervals that differ by less are not skewed, whatever their quartiles say. */
const SKEW_MS = 10_000;
/** Of sizes: what a header more or less makes. */
const SKEW_BYTES = 64;
/** Where a master could leave his orders; other hosts are called in time by design. */
const CATEGORIES: readonly string[] = ["llm_api", "gateway", "chat_app", "mcp"];

const settings = z.strictObject({
  calls: z.int().min(8).max(KEPT).default(24).describe("Calls from which on a beacon is told."),
  hours: z
    .int()
    .min(1)
    .default(4)
    .describe("Different hours through which the rhythm must have lasted."),
  score: z
    .number()
    .gt(0)
    .max(1)
    .default(0.9)
    .describe(
      "How even the times and the sizes of calls must be together, 1 being a clock. A jitter of 20 % and equal sizes give 0.97, chance and equal sizes 0.8.",
    ),
  shortest_seconds: z
    .number()
    .min(1)
    .default(10)
    .describe("Calls that come faster are a busy program and no beacon."),
  clients: z
    .int()
    .min(2)
    .default(3)
    .describe(
      "From this many clients that call one provider in time on, it is a job of many machines, and only worth knowing.",
    ),
});
type Settings = z.infer<typeof settings>;

/** How a client has called a provider since its calls were last uneven. */
interface Rhythm {
  readonly hours: Set<number>;
  readonly sizes: number[];
}

/** Malware that asks a language model's interface for orders (MITRE ATLAS AML.T0096). */
export const aiBeacon: DetectorDefinition<Settings> = {
  name: "ai_beacon",
  class: "malware",
  help: "A host calls one AI provider in a steady rhythm with uploads of one size for hours, with neither token streams nor an agent's growing uploads: a job that runs by a clock, or malware that fetches its orders through the provider. Several hosts that do the same are only worth knowing.",
  severities: ["info", "warning"],
  settings,
  quietSeconds: 60,
  create: (own) => new AiBeacons(own),
};

class AiBeacons implements Detector {
  readonly #settings: Settings;
  readonly #rhythms = new BoundedMap<Rhythm>(CAPACITY);
  /** Who calls a provider in time. */
  readonly #callers = new BoundedMap<Set<string>>(CAPACITY);

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate({ window, elapsedMs }: Tick): Finding[] {
    const { ai_calls, ai_agents } = window.rows;
    const loops = new Set(ai_agents.filter(({ hasLoop }) => hasLoop).map(({ client }) => client));
    return ai_calls
      .filter((row) => hasProvider(row) && CATEGORIES.includes(row.category))
      .flatMap((row) => this.#judge(row, elapsedMs, row.streams > 0 || loops.has(row.client)));
  }

  #judge(row: AiCallRow, elapsedMs: number, isConversation: boolean): Finding[] {
    const own = this.#settings;
    const { intervalsMs } = row;
    const rhythm = this.#rhythms.use(`${row.client} ${row.provider} ${row.category}`, () => ({
      ...{ hours: new Set<number>(), sizes: [] },
    }));
    rhythm.sizes.push(row.upBytes / row.calls);
    if (rhythm.sizes.length > KEPT) rhythm.sizes.shift();
    const isLong = intervalsMs.length >= own.calls - 1;
    const score = isLong
      ? (evenness(intervalsMs, SKEW_MS) + evenness(rhythm.sizes, SKEW_BYTES)) / 2
      : 1;
    const isSteady = score >= own.score && !isConversation;
    if (!isSteady) rhythm.hours.clear();
    if (rhythm.hours.size < own.hours) rhythm.hours.add(Math.floor(elapsedMs / HOUR_MS));
    const period = intervalsMs.length > 0 ? median([...intervalsMs]) / 1000 : 0;
    if (!isLong || !isSteady || period < own.shortest_seconds) return [];
    if (rhythm.hours.size < own.hours) return [];
    const callers = this.#callers.use(row.provider, () => new Set());
    if (callers.size < own.clients) callers.add(row.client);
    return [this.#finding(row, { score, period, callers: callers.size, hours: rhythm.hours.size })];
  }

  #finding(
    row: AiCallRow,
    {
      score,
      period,
      callers,
      hours,
    }: { score: number; period: number; callers: number; hours: number },
  ): Finding {
    const own = this.#settings;
    return {
      entity: entityOf(row),
      severity: callers >= own.clients ? "info" : "warning",
      protocol: row.protocol,
      observed: score,
      expected: 0.5,
      threshold: { value: own.score, setting: "detectors.ai_beacon.score" },
      windowSeconds: row.intervalsMs.reduce((sum, interval) => sum + interval, 0) / 1000,
      samples: row.intervalsMs.length + 1,
      evidence: [
        `a call every ${duration(period)}, through ${count(hours, "different hour")} and more`,
        `times and sizes are even to ${percent(score)}, an upload is about ${bytes(row.upBytes / row.calls)}`,
        "no token streams, and no uploads that grow as an agent's do",
        `${count(callers, "host")} known to call ${row.provider} in time`,
      ],
      explanation: `${row.client} calls ${targetOf(row)} every ${duration(period)} with uploads of one size: a job runs by a clock, or malware fetches its orders through the provider.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", row.client)} && ${addressFilter("dst", row.server)}`,
        promql: "sum by (provider) (rate(nam_ai_calls_total[1h]))",
      },
    };
  }
}

/**
 * How even numbers are, from 0 to 1, as RITA has it: half for a middle that is in the middle (Bowley's skewness of the
 * quartiles), half for how little they differ from their median.
 */
function evenness(values: readonly number[], skewFloor: number): number {
  const numbers = [...values];
  const [low = 0, middle = 0, high = 0] = quantile(numbers, [0.25, 0.5, 0.75]);
  const range = high - low;
  const isFlat = range < skewFloor || middle === low || middle === high;
  const skew = isFlat ? 0 : (low + high - 2 * middle) / range;
  const spread = middle > 0 ? 1 - medianAbsoluteDeviation(numbers) / middle : 0;
  return (1 - Math.abs(skew) + Math.max(0, spread)) / 2;
}
