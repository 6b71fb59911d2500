// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { type AiCallRow, entityOf, hasProvider, targetOf } from "./ai-targets.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { RecentSums } from "./recent-sums.ts";
import { addressFilter } from "./suggestions.ts";
import { bytes, count } from "./text.ts";
import { UsualHours, usualMemory } from "./usual-hours.ts";

const CAPACITY = 4096;
const HOUR_MS = 3_600_000;
const PARTS = 12;
/** Bytes of an hour, and of a call, that are a deviation at least. */
const HOUR_FLOOR = 1e6;
const CALL_FLOOR = 1e5;

const settings = z.strictObject({
  bytes: z
    .number()
    .min(1)
    .default(2e7)
    .describe("Bytes sent to one AI provider within an hour, below which nothing is told."),
  call_bytes: z
    .number()
    .min(1)
    .default(5e6)
    .describe("Bytes sent in one call, below which a call by itself is not told."),
  score: z
    .number()
    .min(1)
    .default(8)
    .describe("Deviations above what the host's busy hours usually have."),
  learn_seconds: z
    .number()
    .min(1)
    .default(86_400)
    .describe("Seconds for which a host's uploads are learned before they are judged."),
});
type Settings = z.infer<typeof settings>;

/** What a host sends to a provider: in the last hour, and usually in an hour and in a call. */
interface Uploads {
  readonly recent: RecentSums<"up">;
  readonly hours: UsualHours;
  readonly calls: UsualHours;
}

/** What is usual in an hour and in a call, by client and provider. */
const memorySchema = z
  .array(z.tuple([z.string(), z.tuple([usualMemory, usualMemory])]))
  .max(CAPACITY);

/** One of the two ways in which an upload is a jump. */
interface Jump {
  readonly observed: number;
  readonly usual: number;
  readonly score: number;
  readonly isCall: boolean;
}

/** Somebody hands a model far more than ever. */
export const aiUploadJump: DetectorDefinition<Settings> = {
  name: "ai_upload_jump",
  class: "exfiltration",
  help: "A host sends one AI provider far more within an hour, or in one call, than its busy hours have: documents are handed out, or a new job uploads files. That more is sent than received is usual for agents and counts for nothing. Silent about a host until learn_seconds have passed and six hours with calls were seen.",
  severities: ["warning"],
  settings,
  quietSeconds: 60,
  create: (own) => new UploadJumps(own),
};

class UploadJumps implements Detector {
  readonly #settings: Settings;
  readonly #uploads = new BoundedMap<Uploads>(CAPACITY);
  #elapsedMs = 0;

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    this.#elapsedMs = tick.elapsedMs;
    return tick.window.rows.ai_calls.filter(hasProvider).flatMap((row) => this.#judge(row, tick));
  }

  remember(): unknown {
    const now = this.#elapsedMs;
    return this.#uploads.remember(({ hours, calls }) => [hours.remember(now), calls.remember(now)]);
  }

  recall(memory: unknown, elapsedMs: number): void {
    this.#uploads.recall(memorySchema.parse(memory), ([hours, calls]) => ({
      recent: new RecentSums(["up"] as const, HOUR_MS, PARTS),
      hours: UsualHours.recall(hours, elapsedMs),
      calls: UsualHours.recall(calls, elapsedMs),
    }));
    this.#elapsedMs = elapsedMs;
  }

  #judge(row: AiCallRow, { elapsedMs, tainted, seconds }: Tick): Finding[] {
    const own = this.#settings;
    const { recent, hours, calls } = this.#uploads.use(
      `${row.client} ${row.provider} ${row.category}`,
      () => ({
        recent: new RecentSums(["up"] as const, HOUR_MS, PARTS),
        hours: new UsualHours(elapsedMs),
        calls: new UsualHours(elapsedMs),
      }),
    );
    recent.add(elapsedMs, { up: row.upBytes });
    const sent = recent.total("up");
    const isKnown = hours.isKnown(elapsedMs, own.learn_seconds);
    const inHour = jump(hours, sent, HOUR_FLOOR, false);
    const inCall = jump(calls, row.largestUpBytes, CALL_FLOOR, true);
    if (!tainted) {
      hours.add(row.upBytes, elapsedMs);
      calls.raise(row.largestUpBytes, elapsedMs);
    }
    if (!isKnown) return [];
    if (sent >= own.bytes && inHour.score >= own.score) return [this.#finding(row, inHour, 3600)];
    if (row.largestUpBytes < own.call_bytes || inCall.score < own.score) return [];
    return [this.#finding(row, inCall, seconds)];
  }

  #finding(row: AiCallRow, found: Jump, windowSeconds: number): Finding {
    const { observed, usual, score, isCall } = found;
    const when = isCall ? "in one call" : "within an hour";
    return {
      entity: entityOf(row),
      severity: "warning",
      protocol: row.protocol,
      observed,
      expected: usual,
      z: score,
      threshold: { value: this.#settings.score, setting: "detectors.ai_upload_jump.score" },
      windowSeconds,
      samples: row.calls,
      evidence: [
        `${bytes(observed)} sent ${when}, ${bytes(usual)} is usual`,
        `${count(row.calls, "call")} with ${bytes(row.upBytes)} in this window, the largest ${bytes(row.largestUpBytes)}`,
      ],
      explanation: `${row.client} sent ${bytes(observed)} to ${targetOf(row)} ${when}, where ${bytes(usual)} is usual: documents are handed out, or a new job uploads files.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", row.client)} && ${addressFilter("dst", row.server)}`,
        promql: 'sum by (provider) (rate(nam_ai_bytes_total{direction="up"}[1h]))',
      },
    };
  }
}

function jump(hours: UsualHours, observed: number, floor: number, isCall: boolean): Jump {
  return { observed, usual: hours.usual, score: hours.score(observed, floor), isCall };
}
