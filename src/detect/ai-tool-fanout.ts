// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { isBrowser } from "../util/client-family.ts";
import { z } from "../util/zod.ts";
import { ActiveAgents } from "./active-agents.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { ReplyTimes } from "./reply-times.ts";
import { addressFilter } from "./suggestions.ts";
import { count, number } from "./text.ts";
import { UsualHours, usualMemory } from "./usual-hours.ts";

const CAPACITY = 4096;
const MOST_ARRIVALS = 256;
/** A reply's end is told up to ten seconds late, and a burst is looked at for a while. */
const KEPT_MS = 60_000;
/** Domains that are a deviation at least. */
const FLOOR = 1;

const settings = z.strictObject({
  domains: z
    .int()
    .min(2)
    .default(15)
    .describe("Domains that answer one host soon after a model's reply, below which none is told."),
  score: z
    .number()
    .min(1)
    .default(6)
    .describe("Deviations above the most domains that the host's busy hours usually have."),
  after_seconds: z
    .number()
    .min(1)
    .max(40)
    .default(10)
    .describe("Seconds after the end of a reply within which domains count together."),
  learn_seconds: z
    .number()
    .min(1)
    .default(86_400)
    .describe("Seconds for which a host's domains are learned before they are judged."),
});
type Settings = z.infer<typeof settings>;
type Row = TrackerRows["ai_destinations"][number];

/** One client's domains of the last minute, and how many after a reply are usual. */
interface Fan {
  arrivals: { readonly domain: string; readonly startMs: number }[];
  readonly usual: UsualHours;
}

/** What is usual, by client; the last minute is not kept over a restart. */
const memorySchema = z.array(z.tuple([z.string(), usualMemory])).max(CAPACITY);

/** A model's reply sends an agent's host everywhere at once. */
export const aiToolFanout: DetectorDefinition<Settings> = {
  name: "ai_tool_fanout",
  class: "ai",
  help: "A host on which an agent is at work connects to far more different domains within seconds after a model's reply than its busy hours have, and they answer: a tool runs wild, or the agent was told to. Connections of browsers do not count. Silent about a host until learn_seconds have passed and six hours with calls were seen.",
  severities: ["warning"],
  settings,
  quietSeconds: 60,
  create: (own) => new ToolFanout(own),
};

class ToolFanout implements Detector {
  readonly #settings: Settings;
  readonly #agents = new ActiveAgents();
  readonly #replies = new ReplyTimes(KEPT_MS);
  readonly #fans = new BoundedMap<Fan>(CAPACITY);
  #elapsedMs = 0;

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const { rows } = tick.window;
    this.#elapsedMs = tick.elapsedMs;
    this.#agents.update(tick.window, tick.elapsedMs);
    const touched = new Set(this.#replies.update(rows));
    for (const row of rows.ai_destinations) {
      if (!row.isNamed || row.answered === 0 || isBrowser(row.family)) continue;
      this.#arrive(row, tick);
      touched.add(row.client);
    }
    return [...touched].flatMap((client) => this.#judge(client, tick));
  }

  remember(): unknown {
    return this.#fans.remember(({ usual }) => usual.remember(this.#elapsedMs));
  }

  recall(memory: unknown, elapsedMs: number): void {
    this.#fans.recall(memorySchema.parse(memory), (own) => ({
      arrivals: [],
      usual: UsualHours.recall(own, elapsedMs),
    }));
    this.#elapsedMs = elapsedMs;
  }

  #fanOf(client: string, { elapsedMs }: Tick): Fan {
    return this.#fans.use(client, () => ({ arrivals: [], usual: new UsualHours(elapsedMs) }));
  }

  #arrive({ client, destination, startMs }: Row, tick: Tick): void {
    const fan = this.#fanOf(client, tick);
    const isRecent = (arrival: { startMs: number }): boolean => arrival.startMs > startMs - KEPT_MS;
    fan.arrivals = fan.arrivals.filter(isRecent).slice(1 - MOST_ARRIVALS);
    fan.arrivals.push({ domain: destination, startMs });
  }

  #judge(client: string, tick: Tick): Finding[] {
    const { elapsedMs, tainted } = tick;
    const own = this.#settings;
    const fan = this.#fanOf(client, tick);
    const domains = this.#replies
      .of(client)
      .map((endMs) => this.#domainsAfter(fan, endMs))
      .reduce((most, one) => (one.size > most.size ? one : most), new Set<string>());
    const isKnown = fan.usual.isKnown(elapsedMs, own.learn_seconds);
    const score = fan.usual.score(domains.size, FLOOR);
    if (!tainted) fan.usual.raise(domains.size, elapsedMs);
    if (!isKnown || domains.size < own.domains || score < own.score) return [];
    return this.#agents.has(client) ? [this.#finding(client, domains, fan.usual.usual, score)] : [];
  }

  #domainsAfter({ arrivals }: Fan, endMs: number): Set<string> {
    const untilMs = endMs + this.#settings.after_seconds * 1000;
    return new Set(
      arrivals
        .filter(({ startMs }) => startMs >= endMs && startMs <= untilMs)
        .map(({ domain }) => domain),
    );
  }

  #finding(client: string, domains: Set<string>, usual: number, score: number): Finding {
    const own = this.#settings;
    return {
      entity: { kind: "source", key: client, source: client },
      severity: "warning",
      protocol: "tls",
      observed: domains.size,
      expected: usual,
      z: score,
      threshold: { value: own.domains, setting: "detectors.ai_tool_fanout.domains" },
      windowSeconds: own.after_seconds,
      samples: domains.size,
      evidence: [
        `an agent is at work on ${client}`,
        `${count(domains.size, "domain")} answered within ${number(own.after_seconds)} s after a reply, ${number(usual)} is usual`,
        `among them ${[...domains].slice(-4).join(", ")}`,
      ],
      explanation: `${client} connected to ${count(domains.size, "domain")} within ${number(own.after_seconds)} s after a model's reply, where ${number(usual)} is usual: a tool runs wild, or the agent was told to look around.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", client)} && tls.handshake.type == 1`,
        promql: 'sum by (family) (rate(nam_tls_hellos_total{sni="yes"}[1m]))',
      },
    };
  }
}
