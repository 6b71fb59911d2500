// SPDX-License-Identifier: AGPL-3.0-or-later
import { aiBytes, aiFlows } from "./flow/ai/metrics.ts";
import type { CellLayout } from "./metrics/cells.ts";

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
  readonly protocols: readonly unknown[];
}

/** Makes it from the totals of the counter cells. */
export function aiReport(layout: CellLayout, totals: Float64Array): AiReport {
  const value = (slot: number): number => totals[slot] ?? 0;
  const providers = layout
    .series(aiFlows)
    .map(({ labels, slot }) => {
      const { provider = "", category = "", evidence = "" } = labels;
      return { provider, category, evidence, flows: value(slot) };
    })
    .filter(({ provider, flows }) => provider !== "none" && flows > 0)
    .sort((a, b) => b.flows - a.flows);
  const bytes = (aiBytes.labels?.provider ?? [])
    .map((provider) => {
      const [up = 0, down = 0] = layout.slots(aiBytes, { provider }).map(value);
      return { provider, up, down };
    })
    .filter(({ up, down }) => up + down > 0)
    .sort((a, b) => b.up + b.down - (a.up + a.down));
  return { providers, bytes, protocols: [] };
}
