// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import type { TrackerRows } from "../flow/window.ts";
import { ActiveAgents } from "./active-agents.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count, duration } from "./text.ts";

const CAPACITY = 4096;
const DAY = 24 * 3600;

const settings = z.strictObject({
  learn_seconds: z
    .number()
    .min(1)
    .default(DAY)
    .describe("Seconds of traffic during which who asks is learned and not told."),
  told_seconds: z
    .number()
    .min(1)
    .default(60)
    .describe("Seconds for which a host that asks is told; then it is known."),
  known_seconds: z
    .number()
    .min(1)
    .default(7 * DAY)
    .describe("Seconds after which a host that has not asked again is new again."),
});
type Settings = z.infer<typeof settings>;
type Row = TrackerRows["metadata_asks"][number];

/** A host asks its cloud for credentials, and never did before (ATT&CK T1552.005). */
export const metadataAccess: DetectorDefinition<Settings> = {
  name: "metadata_access",
  class: "credentials",
  help: "A host connects to a cloud's metadata service, which hands out credentials, and never did before: critical where an agent is at work on it, or where its requests lack the header that keeps others from asking through it. Silent until learn_seconds have passed.",
  severities: ["warning", "critical"],
  settings,
  quietSeconds: 60,
  create: (own) => new MetadataAccess(own),
};

interface Asker {
  readonly firstMs: number;
  lastMs: number;
}

class MetadataAccess implements Detector {
  readonly #settings: Settings;
  readonly #agents = new ActiveAgents();
  readonly #askers = new BoundedMap<Asker>(CAPACITY);
  #learnedSeconds = 0;

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const own = this.#settings;
    const isReady = this.#learnedSeconds >= own.learn_seconds;
    if (!tick.tainted) this.#learnedSeconds += tick.seconds;
    this.#agents.update(tick.window, tick.elapsedMs);
    return tick.window.rows.metadata_asks.flatMap((row) => {
      const asker = this.#see(row.client, tick.elapsedMs, isReady);
      const isTold = isReady && tick.elapsedMs - asker.firstMs < own.told_seconds * 1000;
      return isTold ? [this.#finding(row, tick)] : [];
    });
  }

  #see(client: string, now: number, isReady: boolean): Asker {
    const before = this.#askers.peek(client);
    if (before && now - before.lastMs > this.#settings.known_seconds * 1000) {
      this.#askers.delete(client);
    }
    const firstMs = isReady ? now : Number.NEGATIVE_INFINITY;
    const asker = this.#askers.use(client, () => ({ firstMs, lastMs: now }));
    asker.lastMs = now;
    return asker;
  }

  #finding({ client, server, connections, requests, bare }: Row, tick: Tick): Finding {
    const { learn_seconds } = this.#settings;
    const hasAgent = this.#agents.has(client);
    return {
      entity: { kind: "pair", key: `${client} ${server}`, source: client, destination: server },
      severity: hasAgent || bare > 0 ? "critical" : "warning",
      protocol: requests > 0 ? "http" : "tcp",
      observed: Math.max(requests, connections),
      expected: 0,
      threshold: { value: learn_seconds, setting: "detectors.metadata_access.learn_seconds" },
      windowSeconds: tick.seconds,
      samples: Math.max(requests, connections, 1),
      evidence: [
        `${count(connections, "connection")} and ${count(requests, "request")} to ${server}`,
        `not seen in the ${duration(this.#learnedSeconds)} before`,
        ...(bare > 0 ? [`${count(bare, "request")} without the header of a metadata client`] : []),
        ...(hasAgent ? [`an agent is at work on ${client}`] : []),
      ],
      explanation: `${client} asks the metadata service ${server}, which hands out the machine's credentials, and never did before${bare > 0 ? "; the requests look as if somebody made it ask" : ""}.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", client)} && ${addressFilter("dst", server)}`,
        promql: "rate(nam_http_requests_total[5m])",
      },
    };
  }
}
