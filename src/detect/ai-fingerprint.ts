// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { isBrowser, isKnownFamily } from "../util/client-family.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count, duration } from "./text.ts";

const CAPACITY = 4096;
const DAY = 24 * 3600;

const settings = z.strictObject({
  handshakes: z
    .int()
    .min(1)
    .default(3)
    .describe("Completed handshakes within a day before a client family is believed."),
  learn_seconds: z
    .number()
    .min(1)
    .default(DAY)
    .describe("Seconds of traffic that are learned before a family is new."),
  told_seconds: z
    .number()
    .min(1)
    .default(10)
    .describe("Seconds for which a family is told as new; then it is known."),
});
type Settings = z.infer<typeof settings>;
type AiFlowRow = TrackerRows["ai_flows"][number];

/** Handshakes of one client with one provider as one family; elapsed milliseconds. */
interface Handshakes {
  count: number;
  sinceMs: number;
  /** When there were enough of them, NaN before. */
  believedMs: number;
}

/** By client, provider and family, whether it is believed; by client and provider, the family that was seen first. */
const memorySchema = z.strictObject({
  learnedSeconds: z.number().min(0),
  families: z.array(z.tuple([z.string(), z.boolean()])).max(CAPACITY),
  pairs: z.array(z.tuple([z.string(), z.string()])).max(CAPACITY),
});

/** Programs that talk to AI providers and are not what they were, or not what they say. */
export const aiFingerprint: DetectorDefinition<Settings> = {
  name: "ai_fingerprint",
  class: "ai",
  help: "A host talks to an AI provider with a TLS client of another family (by JA4) than ever before; or, as a warning, with a browser's fingerprint to an API that no browser uses, and without browsing anywhere else, or with another fingerprint than the User-Agent of the CONNECT around it names. Updates change fingerprints, and anybody can copy one: never more than a hint.",
  severities: ["info", "warning"],
  settings,
  quietSeconds: 10,
  create: (own) => new Fingerprints(own),
};

class Fingerprints implements Detector {
  readonly #settings: Settings;
  readonly #families = new BoundedMap<Handshakes>(CAPACITY);
  /** By client and provider, the family that was seen first. */
  readonly #pairs = new BoundedMap<string>(CAPACITY);
  #learnedSeconds = 0;

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const isReady = this.#learnedSeconds >= this.#settings.learn_seconds;
    this.#learnedSeconds += tick.seconds;
    if (tick.tainted) return [];
    return tick.window.rows.ai_flows
      .filter(({ completed, family }) => completed > 0 && isKnownFamily(family))
      .flatMap((row) => [
        ...this.#judge(row, tick, isReady),
        ...this.#contradictions(row, tick.elapsedMs, isReady),
      ]);
  }

  remember(): unknown {
    return {
      learnedSeconds: this.#learnedSeconds,
      families: this.#families.remember(({ believedMs }) => !Number.isNaN(believedMs)),
      pairs: this.#pairs.remember((family) => family),
    };
  }

  recall(memory: unknown): void {
    const { learnedSeconds, families, pairs } = memorySchema.parse(memory);
    this.#learnedSeconds = learnedSeconds;
    this.#families.recall(families, (isBelieved) => ({
      ...{ count: 0, sinceMs: 0, believedMs: isBelieved ? Number.NEGATIVE_INFINITY : Number.NaN },
    }));
    this.#pairs.recall(pairs, (family) => family);
  }

  #judge(row: AiFlowRow, tick: Tick, isReady: boolean): Finding[] {
    const name = `${row.client} ${row.provider} ${row.family}`;
    const seen = this.#add(name, row.completed, tick.elapsedMs, isReady);
    const own = this.#settings;
    const first = this.#pairs.use(`${row.client} ${row.provider}`, () => row.family);
    const isTold = tick.elapsedMs - seen.believedMs < own.told_seconds * 1000;
    if (!isReady || !isTold) return [];
    if (isBrowser(row.family) && row.category === "llm_api" && !row.browses) {
      const what = `greets ${row.provider}'s API as ${row.family} does, but browses nowhere else: a program that hides behind a browser's fingerprint, or one with a browser inside.`;
      return [this.#finding(row, seen, "warning", what)];
    }
    if (first === row.family) return [];
    const what = `talks to ${row.provider} as a ${row.family} program, which it never did before: another program, or an update.`;
    return [this.#finding(row, seen, "info", what)];
  }

  /** What contradicted itself while the network was learned, as browsers behind a scanner do that opens TLS, is known. */
  #contradictions(row: AiFlowRow, elapsedMs: number, isReady: boolean): Finding[] {
    if (row.contradicted === 0) return [];
    const name = `${row.client} ${row.provider} ${row.family} as ${row.claimed}`;
    const seen = this.#add(name, row.contradicted, elapsedMs, isReady);
    const isTold = elapsedMs - seen.believedMs < this.#settings.told_seconds * 1000;
    if (!isTold) return [];
    const what = `calls itself ${row.claimed} where it asks the proxy for ${row.provider}, and greets as ${row.family} does: a program that pretends to be another, or one that sends its requests through another.`;
    const evidence = `the User-Agent is that of a ${row.claimed} program`;
    const finding = this.#finding(row, seen, "warning", what, evidence);
    // Its own entity: a family that is new as well is another finding, and neither may quiet or end the other.
    return [{ ...finding, entity: { ...finding.entity, key: name } }];
  }

  #add(name: string, completed: number, elapsedMs: number, isReady: boolean): Handshakes {
    const seen = this.#families.use(name, () => ({
      ...{ count: 0, sinceMs: elapsedMs, believedMs: Number.NaN },
    }));
    if (elapsedMs - seen.sinceMs > DAY * 1000) {
      seen.count = 0;
      seen.sinceMs = elapsedMs;
    }
    seen.count += completed;
    // What was there while the network was learned is no news, however often it was.
    if (!isReady) seen.believedMs = Number.NEGATIVE_INFINITY;
    else if (Number.isNaN(seen.believedMs) && seen.count >= this.#settings.handshakes) {
      seen.believedMs = elapsedMs;
    }
    return seen;
  }

  #finding(
    row: AiFlowRow,
    seen: Handshakes,
    severity: "info" | "warning",
    what: string,
    evidence = `not seen in the ${duration(this.#learnedSeconds)} before`,
  ): Finding {
    const { client, provider, family } = row;
    return {
      entity: { kind: "source", key: `${client} ${provider} ${family}`, source: client },
      severity,
      protocol: "tls",
      observed: seen.count,
      expected: 0,
      threshold: {
        value: this.#settings.handshakes,
        setting: "detectors.ai_fingerprint.handshakes",
      },
      windowSeconds: DAY,
      samples: seen.count,
      evidence: [`${count(seen.count, "completed handshake")} as ${family}`, evidence],
      explanation: `${client} ${what}`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", client)} && tls.handshake.type == 1`,
        promql: "sum by (family) (rate(nam_tls_hellos_total[5m]))",
      },
    };
  }
}
