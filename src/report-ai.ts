// SPDX-License-Identifier: AGPL-3.0-or-later
import { agentMessages } from "./decode/agents/kinds.ts";
import { aiCalls } from "./flow/ai/call-metrics.ts";
import { aiBytes, aiFlows } from "./flow/ai/metrics.ts";
import type { CellLayout } from "./metrics/cells.ts";
import type { MetricDefinition } from "./metrics/metric.ts";

/** The `ai` section of a report: what was used and how much, without the name of any host. */
export interface AiReport {
  /** Flows to AI providers, most first; `evidence` is where their names come from. */
  readonly providers: readonly {
    readonly provider: string;
    readonly category: string;
    readonly evidence: string;
    readonly flows: number;
  }[];
  /** Bytes on the wire, most first. */
  readonly bytes: readonly {
    readonly provider: string;
    readonly up: number;
    readonly down: number;
  }[];
  /** Calls, most first; provider `none` where a host without a known name answered with a token stream, or a model in clear text. */
  readonly calls: readonly {
    readonly provider: string;
    readonly transport: string;
    readonly calls: number;
  }[];
  /** Messages of agents and language models in clear text, in the order of the catalogue. */
  readonly protocols: readonly {
    readonly protocol: string;
    readonly kind: string;
    readonly count: number;
  }[];
}

interface Seen {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
}

/** Makes it from the totals of the counter cells. */
export function aiReport(layout: CellLayout, totals: Float64Array): AiReport {
  const seen = (metric: MetricDefinition): Seen[] =>
    layout
      .series(metric)
      .filter(({ slot }) => (totals[slot] ?? 0) > 0)
      .map(({ labels, slot }) => ({ labels, count: totals[slot] ?? 0 }));
  const providers = seen(aiFlows)
    .map(({ labels: { provider = "", category = "", evidence = "" }, count }) => {
      return { provider, category, evidence, flows: count };
    })
    .filter(({ provider }) => provider !== "none")
    .sort((a, b) => b.flows - a.flows);
  const carried = seen(aiBytes);
  const bytes = [...new Set(carried.map(({ labels: { provider = "" } }) => provider))]
    .map((provider) => {
      const way = (direction: string): number =>
        carried.find(({ labels }) => labels.provider === provider && labels.direction === direction)
          ?.count ?? 0;
      return { provider, up: way("up"), down: way("down") };
    })
    .sort((a, b) => b.up + b.down - (a.up + a.down));
  const calls = seen(aiCalls)
    .map(({ labels: { provider = "", transport = "" }, count }) => {
      return { provider, transport, calls: count };
    })
    .sort((a, b) => b.calls - a.calls);
  const protocols = seen(agentMessages).map(({ labels: { protocol = "", kind = "" }, count }) => {
    return { protocol, kind, count };
  });
  return { providers, bytes, calls, protocols };
}
