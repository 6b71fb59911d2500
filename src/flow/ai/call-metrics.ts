// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../../metrics/metric.ts";
import { AI_TRANSPORTS } from "./ai-call.ts";
import { AI_PROVIDERS, CATEGORIES } from "./pairs.ts";

/** Label value of calls to a host that is no provider's. */
export const NO_PROVIDER_LABEL = "none";

/** Label values of `provider`, the last for none. */
export const CALL_PROVIDERS = [...AI_PROVIDERS, NO_PROVIDER_LABEL] as const;
/** Label values of `category`, the last for none. */
export const CALL_CATEGORIES = [...CATEGORIES, NO_PROVIDER_LABEL] as const;

function byCategory({ category = "" }: Readonly<Record<string, string>>): string {
  return category;
}

export const aiCalls: MetricDefinition = {
  name: "nam_ai_calls_total",
  help: "Calls to AI providers over TLS and QUIC, and to language models in clear text (plain): requests, of 200 bytes and more where they are encrypted, with their replies; none: calls to other hosts that answer in clear text as a model does, or with the shape of a token stream. Calls that share an HTTP/2 or QUIC connection at one time are counted as one. A provider appears when it is first called.",
  type: "counter",
  labels: { provider: CALL_PROVIDERS, transport: AI_TRANSPORTS },
  appearsWith: ({ provider = "" }) => provider,
};

export const aiCallDuration: MetricDefinition = {
  name: "nam_ai_call_duration_seconds",
  help: "How long calls take, from the first byte of the request to the last of the reply.",
  type: "histogram",
  labels: { category: CALL_CATEGORIES },
  appearsWith: byCategory,
  buckets: [0.25, 0.5, 1, 2, 5, 10, 20, 60, 120, 300],
};

export const aiCallTtft: MetricDefinition = {
  name: "nam_ai_call_ttft_seconds",
  help: "Time from the first byte of a call's request to the first byte of its reply; in clear text, of the reply's body.",
  type: "histogram",
  labels: { category: CALL_CATEGORIES },
  appearsWith: byCategory,
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 120],
};

export const aiCallUpload: MetricDefinition = {
  name: "nam_ai_call_upload_bytes",
  help: "Bytes that the client sends in a call, with what TLS or HTTP adds.",
  type: "histogram",
  labels: { category: CALL_CATEGORIES },
  appearsWith: byCategory,
  buckets: [256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
};

export const aiStreamEpisodes: MetricDefinition = {
  name: "nam_ai_stream_episodes_total",
  help: "Calls whose reply has the shape of a token stream, by whether the server's name is a known provider's.",
  type: "counter",
  labels: { category: CALL_CATEGORIES, known: ["yes", "no"] },
  has: ({ category, known }) => (category === NO_PROVIDER_LABEL) === (known === "no"),
  appearsWith: byCategory,
};

const GAPS = ["resumed", "given_up"] as const;

export const aiStreamGaps: MetricDefinition = {
  name: "nam_ai_stream_gaps_total",
  help: "Losses in watched TLS streams that hid where records begin: resumed with a later segment, or given up.",
  type: "counter",
  labels: { outcome: GAPS },
};

export const aiWatchEvictions: MetricDefinition = {
  name: "nam_ai_watch_evictions_total",
  help: "Flows watched for calls that made room for others.",
  type: "counter",
};

export const aiWatched: MetricDefinition = {
  name: "nam_ai_watched_flows",
  help: "Flows watched for calls at the end of the last window.",
  type: "gauge",
};

/** Counters that AiCalls feeds. */
export const aiCallMetrics: readonly MetricDefinition[] = [
  aiCalls,
  aiCallDuration,
  aiCallTtft,
  aiCallUpload,
  aiStreamEpisodes,
  aiStreamGaps,
  aiWatchEvictions,
];
