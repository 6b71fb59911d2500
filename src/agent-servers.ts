// SPDX-License-Identifier: AGPL-3.0-or-later

import { AGENT_PROTOCOLS } from "./decode/agents/kinds.ts";
import { EXPOSURES, UnguardedServers } from "./detect/unguarded-servers.ts";
import type { Window } from "./flow/window.ts";
import type { MetricDefinition } from "./metrics/metric.ts";
import type { GaugeInstrument, MetricsRegistry } from "./metrics/registry.ts";

/** A server counts for so long after it served somebody unasked. */
const HOLD_SECONDS = 3600;

export const agentServersUnauthenticated: MetricDefinition = {
  name: "nam_agent_server_unauthenticated",
  help: "Own servers of agents and language models that, within the last hour, served somebody in clear text without asking who that is, by the farthest from where they did.",
  type: "gauge",
  labels: { protocol: AGENT_PROTOCOLS, exposure: EXPOSURES },
};

/** Counts the servers that serve everybody, for whoever scrapes; the detector `ai_server_exposed` names them. */
export class AgentServers {
  readonly #servers: UnguardedServers;
  #counts: ReadonlyMap<string, number> = new Map();
  #elapsedMs = 0;

  constructor(registry: MetricsRegistry, isHome: (address: string) => boolean) {
    this.#servers = new UnguardedServers(isHome, HOLD_SECONDS);
    const gauge = registry.gauge(agentServersUnauthenticated);
    registry.onCollect(() => this.#set(gauge));
  }

  accept({ rows, startMs, endMs }: Window): void {
    this.#elapsedMs += Math.max(0, endMs - startMs);
    const counts = new Map<string, number>();
    for (const server of this.#servers.update(rows.agent_talks, this.#elapsedMs)) {
      const key = keyOf(server);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    this.#counts = counts;
  }

  #set(gauge: GaugeInstrument): void {
    for (const protocol of AGENT_PROTOCOLS) {
      for (const exposure of EXPOSURES) {
        const labels = { protocol, exposure };
        gauge.set(labels, this.#counts.get(keyOf(labels)) ?? 0);
      }
    }
  }
}

function keyOf({ protocol, exposure }: { protocol: string; exposure: string }): string {
  return `${protocol} ${exposure}`;
}
