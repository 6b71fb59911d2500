// SPDX-License-Identifier: AGPL-3.0-or-later
import { PROVIDER_ROWS } from "./provider-table.ts";

/** What a name stands for; a person at a chat application is no agent. */
export const CATEGORIES = [
  "llm_api",
  "chat_app",
  "coding_agent",
  "gateway",
  "agent_tool",
  "mcp",
  "media_api",
  "vector_db",
  "model_hub",
  "hosted_app",
  "observability",
  "telemetry",
  "control_plane",
  "other",
] as const;
export type Category = (typeof CATEGORIES)[number];

/** Label value of the providers that only the operator knows. */
export const OTHER_PROVIDER = "other";

export interface AiPair {
  readonly provider: string;
  readonly category: Category;
}

/** Every provider and category that is counted apart: those of the table, then `other` with each category. */
export const AI_PAIRS: readonly AiPair[] = [
  ...new Set(PROVIDER_ROWS.map((line) => line.split(" ", 2).join(" "))),
  ...CATEGORIES.map((category) => `${OTHER_PROVIDER} ${category}`),
].map((text) => {
  const [provider = "", category = ""] = text.split(" ");
  return { provider, category: category as Category };
});

/** Providers that are label values. */
export const AI_PROVIDERS: readonly string[] = [...new Set(AI_PAIRS.map((pair) => pair.provider))];

/** Position of a provider and category in AI_PAIRS, -1 where they are not counted apart. */
export function pairOf(provider: string, category: string): number {
  return AI_PAIRS.findIndex((pair) => pair.provider === provider && pair.category === category);
}
