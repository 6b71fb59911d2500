// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { ActiveAgents } from "./active-agents.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import {
  FirstSights,
  Learning,
  recallSights,
  rememberSights,
  sightSettings,
} from "./first-sights.ts";
import { addressFilter } from "./suggestions.ts";
import { count, duration } from "./text.ts";

const settings = z.strictObject(sightSettings);
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

class MetadataAccess implements Detector {
  readonly #settings: Settings;
  readonly #agents = new ActiveAgents();
  readonly #learning: Learning;
  readonly #askers: FirstSights;

  constructor(own: Settings) {
    this.#settings = own;
    this.#learning = new Learning(own);
    this.#askers = new FirstSights(own, this.#learning);
  }

  evaluate(tick: Tick): Finding[] {
    this.#learning.update(tick);
    this.#agents.update(tick.window, tick.elapsedMs);
    return tick.window.rows.metadata_asks
      .filter(({ client }) => this.#askers.isNew(client, tick))
      .map((row) => this.#finding(row, tick));
  }

  remember(): unknown {
    return rememberSights(this.#learning, { askers: this.#askers });
  }

  recall(memory: unknown, elapsedMs: number): void {
    recallSights(memory, elapsedMs, this.#learning, { askers: this.#askers });
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
        `not seen in the ${duration(this.#learning.seconds)} before`,
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
