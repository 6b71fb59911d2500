// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { bytes, count, duration } from "./text.ts";

const CAPACITY = 4096;
const DAY = 24 * 3600;
/** Others use their hosts too, and nobody talks to a model there. */
export const QUIET_CATEGORIES: readonly string[] = ["telemetry", "model_hub"];
/** Behind these is a provider, or a tool, that nobody sees. */
const OPAQUE_CATEGORIES: readonly string[] = ["gateway", "mcp"];

const settings = z.strictObject({
  allowed_providers: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Providers that everybody may use, e.g. `openai`; data/ai-providers.yaml lists them.",
    ),
  learn_seconds: z
    .number()
    .min(1)
    .default(DAY)
    .describe("Seconds of traffic that are learned before anything is new."),
  forget_seconds: z
    .number()
    .min(1)
    .default(7 * DAY)
    .describe("A provider that a host did not use for so long is new again."),
  told_seconds: z
    .number()
    .min(1)
    .default(10)
    .describe("Seconds for which something is told as new; then it is known."),
});
type Settings = z.infer<typeof settings>;
type AiFlowRow = TrackerRows["ai_flows"][number];

/** When a host used a provider first, and last; elapsed milliseconds. */
interface Use {
  firstMs: number;
  lastMs: number;
}

/** By client and provider, how long ago it was used last: what was used before the restart is known after it. */
const memorySchema = z.strictObject({
  learnedSeconds: z.number().min(0),
  uses: z.array(z.tuple([z.string(), z.number()])).max(CAPACITY),
});

/** AI that a host begins to use and nobody allowed. */
export const aiNewProvider: DetectorDefinition<Settings> = {
  name: "ai_new_provider",
  class: "ai",
  help: "A host uses an AI provider that it never used while the network was learned and that is not allowed: the handshake completed and the server answered. A gateway or MCP server, behind which anything may be, is a warning. Silent until learn_seconds have passed.",
  severities: ["info", "warning"],
  settings,
  quietSeconds: 10,
  create: (own) => new NewProviders(own),
};

class NewProviders implements Detector {
  readonly #settings: Settings;
  readonly #allowed: ReadonlySet<string>;
  readonly #uses = new BoundedMap<Use>(CAPACITY);
  #learnedSeconds = 0;
  #elapsedMs = 0;

  constructor(own: Settings) {
    this.#settings = own;
    this.#allowed = new Set(own.allowed_providers);
  }

  evaluate(tick: Tick): Finding[] {
    const isReady = this.#learnedSeconds >= this.#settings.learn_seconds;
    this.#learnedSeconds += tick.seconds;
    this.#elapsedMs = tick.elapsedMs;
    if (tick.tainted) return [];
    return tick.window.rows.ai_flows
      .filter((row) => row.completed > 0 && !QUIET_CATEGORIES.includes(row.category))
      .flatMap((row) => (this.#isNew(row, tick, isReady) ? [this.#finding(row, tick)] : []));
  }

  remember(): unknown {
    const forgetMs = this.#settings.forget_seconds * 1000;
    const uses = this.#uses
      .remember(({ lastMs }) => this.#elapsedMs - lastMs)
      .filter(([, ageMs]) => ageMs <= forgetMs);
    return { learnedSeconds: this.#learnedSeconds, uses };
  }

  recall(memory: unknown, elapsedMs: number): void {
    const { learnedSeconds, uses } = memorySchema.parse(memory);
    this.#learnedSeconds = learnedSeconds;
    this.#elapsedMs = elapsedMs;
    this.#uses.recall(uses, (ageMs) => ({
      ...{ firstMs: Number.NEGATIVE_INFINITY, lastMs: elapsedMs - ageMs },
    }));
  }

  #isNew({ client, provider }: AiFlowRow, { elapsedMs }: Tick, isReady: boolean): boolean {
    const { forget_seconds: forget, told_seconds: told } = this.#settings;
    const begun = isReady ? elapsedMs : Number.NEGATIVE_INFINITY;
    const use = this.#uses.use(`${client} ${provider}`, () => ({
      ...{ firstMs: begun, lastMs: elapsedMs },
    }));
    if (elapsedMs - use.lastMs > forget * 1000) use.firstMs = begun;
    use.lastMs = elapsedMs;
    return isReady && elapsedMs - use.firstMs < told * 1000 && !this.#allowed.has(provider);
  }

  #finding(row: AiFlowRow, tick: Tick): Finding {
    const { client, provider, category } = row;
    const isOpaque = OPAQUE_CATEGORIES.includes(category);
    return {
      entity: { kind: "source", key: `${client} ${provider}`, source: client },
      severity: isOpaque ? "warning" : "info",
      protocol: "tls",
      observed: row.completed,
      expected: 0,
      threshold: {
        value: this.#settings.learn_seconds,
        setting: "detectors.ai_new_provider.allowed_providers",
      },
      windowSeconds: tick.seconds,
      samples: row.completed,
      evidence: [
        `${count(row.completed, "connection")} in which the server answered`,
        `${bytes(row.upBytes)} up, ${bytes(row.downBytes)} down in this window`,
        `not seen in the ${duration(this.#learnedSeconds)} before`,
      ],
      explanation: `${client} uses ${provider} (${category}), which it never did before and which is not among the allowed providers.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", client)} && (tls.handshake.type == 1 || http.request)`,
        promql: `sum by (category, evidence) (increase(nam_ai_flows_total[1h])) > 0`,
      },
    };
  }
}
