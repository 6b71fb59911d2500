// SPDX-License-Identifier: AGPL-3.0-or-later
import { closedLabelSets } from "../../metrics/label-sets.ts";
import type { MetricDefinition } from "../../metrics/metric.ts";
import { EVIDENCE } from "./flow-names.ts";
import { AI_PAIRS, AI_PROVIDERS, CATEGORIES } from "./pairs.ts";
import { PROVIDER_TABLE_VERSION } from "./provider-table.ts";

const NO_PROVIDER = "none";
/** Evidence that can lead to a provider; the others say why there is none. */
const NAMING = new Set<string>(["sni", "quic_sni", "http_host", "dns"]);
const DIRECTIONS = ["up", "down"] as const;
const categoriesOf = new Map(AI_PROVIDERS.map((provider) => [provider, new Set<string>()]));
for (const { provider, category } of AI_PAIRS) categoriesOf.get(provider)?.add(category);

/** Flows by what they were found to be. */
export const aiFlows: MetricDefinition = {
  name: "nam_ai_flows_total",
  help: "Flows by AI provider, category and where the name comes from, counted when the TLS or QUIC ClientHello or the first HTTP request is seen; none: all others. Evidence ech: the name is encrypted; none: no name, or the capture began in the middle. A provider appears when it is first seen.",
  type: "counter",
  labels: {
    provider: [...AI_PROVIDERS, NO_PROVIDER],
    category: [...CATEGORIES, NO_PROVIDER],
    evidence: EVIDENCE,
  },
  has: ({ provider = "", category = "", evidence = "" }) =>
    provider === NO_PROVIDER
      ? category === NO_PROVIDER
      : NAMING.has(evidence) && categoriesOf.get(provider)?.has(category) === true,
  appearsWith: ({ provider, category }) =>
    provider === NO_PROVIDER ? "" : `${provider} ${category}`,
};

/** What they carried. */
export const aiBytes: MetricDefinition = {
  name: "nam_ai_bytes_total",
  help: "Bytes on the wire of flows to AI providers; up: from the client. A provider appears when it is first seen.",
  type: "counter",
  labels: { provider: AI_PROVIDERS, direction: DIRECTIONS },
  appearsWith: ({ provider = "" }) => provider,
};

export const aiActiveSources: MetricDefinition = {
  name: "nam_ai_active_sources",
  help: "Hosts that had a flow to an AI provider of the category within 10 minutes; exact up to 4096 hosts. Where several interfaces see a host, it counts for each.",
  type: "gauge",
  labels: { category: CATEGORIES },
};

export const aiSourcesSaturated: MetricDefinition = {
  name: "nam_ai_sources_saturated",
  help: "Above 0 while there are more AI sources than nam_ai_active_sources can count.",
  type: "gauge",
};

export const aiEvictions: MetricDefinition = {
  name: "nam_ai_evictions_total",
  help: "What had to make room: DNS answers kept to name flows, and flows whose bytes are counted.",
  type: "counter",
  labels: { kind: ["dns_answer", "flow"] },
};

export const aiTableInfo: MetricDefinition = {
  name: "nam_ai_table_info",
  help: "1; the label tells when the built-in table of AI providers was last checked.",
  type: "gauge",
  labels: { version: [PROVIDER_TABLE_VERSION] },
};

/** Offset in aiFlows of each pair and evidence: EVIDENCE.length a pair, those of no provider last; -1 for none. */
export function flowCells(): Int32Array {
  const cells = new Int32Array((AI_PAIRS.length + 1) * EVIDENCE.length).fill(-1);
  const labels: readonly (string | undefined)[] = EVIDENCE;
  const keys = [...AI_PAIRS.map((pair) => `${pair.provider} ${pair.category}`), "none none"];
  for (const [cell, { provider, category, evidence }] of (
    closedLabelSets(aiFlows) ?? []
  ).entries()) {
    const row = keys.indexOf(`${provider} ${category}`);
    cells[row * EVIDENCE.length + labels.indexOf(evidence)] = cell;
  }
  return cells;
}

/** Offset in aiBytes of what clients send, by pair; what servers send is behind it. */
export function byteCells(): Int32Array {
  return Int32Array.from(AI_PAIRS, ({ provider }) => AI_PROVIDERS.indexOf(provider) * 2);
}
