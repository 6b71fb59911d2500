// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { scopeOf } from "../util/address-scope.ts";
import { z } from "../util/zod.ts";
import { ActiveAgents } from "./active-agents.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorContext, DetectorDefinition, Finding, Tick } from "./detector.ts";
import {
  FirstSights,
  Learning,
  recallSights,
  rememberSights,
  sightSettings,
} from "./first-sights.ts";
import { addressFilter } from "./suggestions.ts";
import { count, duration, endpoint } from "./text.ts";

const settings = z.strictObject({
  ...sightSettings,
  services: z
    .int()
    .min(2)
    .default(10)
    .describe("New internal services that the host of an agent may reach within the time."),
  services_seconds: z
    .number()
    .min(1)
    .default(300)
    .describe("Seconds within which new services of one host count together."),
});
type Settings = z.infer<typeof settings>;
type Talk = TrackerRows["agent_talks"][number];

/** An agent speaks to another one it never spoke to, or goes from host to host. */
export const aiLateral: DetectorDefinition<Settings> = {
  name: "ai_lateral",
  class: "agent",
  help: "Two hosts of the own network speak MCP, A2A, ACP or a language model's protocol for the first time (worth knowing), or a host on which an agent is at work reaches many internal services it never used (critical). Silent until learn_seconds have passed.",
  severities: ["info", "critical"],
  settings,
  quietSeconds: 10,
  create: (own, context) => new AiLateral(own, context),
};

class AiLateral implements Detector {
  readonly #settings: Settings;
  readonly #context: DetectorContext;
  readonly #agents = new ActiveAgents();
  readonly #learning: Learning;
  readonly #talks: FirstSights;
  readonly #services: FirstSights;
  /** By client, when it first reached each service that is new. */
  readonly #reached = new BoundedMap<Map<string, number>>(1024);

  constructor(own: Settings, context: DetectorContext) {
    this.#settings = own;
    this.#context = context;
    this.#learning = new Learning(own);
    this.#talks = new FirstSights(own, this.#learning);
    this.#services = new FirstSights(own, this.#learning);
  }

  evaluate(tick: Tick): Finding[] {
    const { rows } = tick.window;
    this.#learning.update(tick);
    this.#agents.update(tick.window, tick.elapsedMs);
    const talks = rows.agent_talks
      .filter(({ messages }) => messages > 0)
      .filter(({ client, server }) => this.#isInternal(client, server))
      .flatMap((row) => this.#talk(row, tick));
    const touched = new Set<string>();
    for (const { client, server, port, connections } of rows.pairs) {
      if (connections === 0 || !this.#isInternal(client, server)) continue;
      if (this.#services.see(`${client} ${endpoint(server, port)}`, tick) > 0) continue;
      this.#reached.use(client, () => new Map()).set(endpoint(server, port), tick.elapsedMs);
      touched.add(client);
    }
    return [...talks, ...[...touched].flatMap((client) => this.#fanOut(client, tick))];
  }

  remember(): unknown {
    return rememberSights(this.#learning, { talks: this.#talks, services: this.#services });
  }

  recall(memory: unknown, elapsedMs: number): void {
    recallSights(memory, elapsedMs, this.#learning, {
      talks: this.#talks,
      services: this.#services,
    });
  }

  #talk(row: Talk, tick: Tick): Finding[] {
    const { client, server, port, protocol, messages } = row;
    const own = this.#settings;
    const key = `${client} ${server} ${protocol}`;
    if (!this.#talks.isNew(key, tick)) return [];
    return [
      {
        entity: { kind: "pair", key, source: client, destination: server, port },
        severity: "info",
        protocol,
        observed: 1,
        expected: 0,
        threshold: { value: own.learn_seconds, setting: "detectors.ai_lateral.learn_seconds" },
        windowSeconds: tick.seconds,
        samples: messages,
        evidence: [
          `${count(messages, "message")} of ${protocol} with ${endpoint(server, port)}`,
          `not seen in the ${duration(this.#learning.seconds)} before`,
        ],
        explanation: `${client} speaks ${protocol} with ${server}, which it never did before: an agent was given a new tool, a new peer, or took it.`,
        suggestion: {
          wireshark_filter: `http && ${addressFilter("src", client)} && ${addressFilter("dst", server)}`,
          promql: `rate(nam_agent_protocol_messages_total{protocol="${protocol}"}[5m])`,
        },
      },
    ];
  }

  #fanOut(client: string, tick: Tick): Finding[] {
    const own = this.#settings;
    const reached = this.#reached.peek(client) ?? new Map<string, number>();
    for (const [service, atMs] of reached) {
      if (tick.elapsedMs - atMs > own.services_seconds * 1000) reached.delete(service);
    }
    if (reached.size < own.services || !this.#agents.has(client)) return [];
    return [
      {
        entity: { kind: "source", key: client, source: client },
        severity: "critical",
        protocol: "tcp",
        observed: reached.size,
        expected: 0,
        threshold: { value: own.services, setting: "detectors.ai_lateral.services" },
        windowSeconds: own.services_seconds,
        samples: reached.size,
        evidence: [
          `an agent is at work on ${client}`,
          `among the new services: ${[...reached.keys()].slice(-4).join(", ")}`,
        ],
        explanation: `${client}, on which an agent is at work, connected to ${count(reached.size, "internal service")} within ${duration(own.services_seconds)} that it never used before: it may be led to look around.`,
        suggestion: {
          wireshark_filter: `${addressFilter("src", client)} && tcp.flags.syn == 1 && tcp.flags.ack == 0`,
          promql: 'rate(nam_tcp_handshakes_total{outcome="established"}[5m])',
        },
      },
    ];
  }

  #isInternal(client: string, server: string): boolean {
    return client !== server && [client, server].every((end) => this.#isOwn(end));
  }

  #isOwn(address: string): boolean {
    const scope = scopeOf(address);
    return scope === "private" || (scope === "public" && this.#context.isHome(address));
  }
}
