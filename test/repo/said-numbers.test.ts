// SPDX-License-Identifier: AGPL-3.0-or-later
// What documents, rules and dashboards repeat of the code, numbers above all: where the code changes, the words must.
import { describe, expect, it } from "vitest";
import { QUIET_CATEGORIES } from "../../src/detect/ai-new-provider.ts";
import { SOURCES_MAX } from "../../src/flow/ai/active-sources.ts";
import { WATCHED } from "../../src/flow/ai/watch-rows.ts";
import { DEFAULT_SERIES_BUDGET } from "../../src/metrics/series-budget.ts";
import { readProjectFile } from "../support/project.ts";

const SCRAPE_SECONDS = 5;
/** What Prometheus keeps of a sample on disk, on average: 1 to 2 bytes by its documentation of storage. */
const SAMPLE_BYTES = 1.45;
const SAMPLES_A_SECOND = DEFAULT_SERIES_BUDGET / SCRAPE_SECONDS;
const MEGABYTES_A_DAY = Math.round((SAMPLES_A_SECOND * 86_400 * SAMPLE_BYTES) / 1e7) * 10;

const en = (number: number): string => number.toLocaleString("en");

const sentences: readonly (readonly [file: string, words: string])[] = [
  [
    "docs/prometheus.md",
    `at the full budget of ${en(DEFAULT_SERIES_BUDGET)} series that is ${en(SAMPLES_A_SECOND)} samples a second, about ${MEGABYTES_A_DAY} MB a day on disk`,
  ],
  [
    "prometheus/prometheus.yml",
    `at about ${en(SAMPLES_A_SECOND)} samples a second for an agent at its full series budget`,
  ],
  ["prometheus/prometheus.yml", `no more than ${en(DEFAULT_SERIES_BUDGET)} series by default`],
  [
    "docs/deployment.md",
    `| series | ${en(DEFAULT_SERIES_BUDGET)} an agent, whatever the traffic |`,
  ],
  [
    "prometheus/rules/ai.yml",
    `sees more than ${en(SOURCES_MAX)} hosts with flows to AI providers: their`,
  ],
  [
    "docs/runbooks/NamAiSourcesSaturated.md",
    `More than ${en(SOURCES_MAX)} hosts, whatever the category, have flows to AI providers`,
  ],
  [
    "grafana/src/ai-agents/limits.ts",
    `more hosts with AI traffic than can be counted, ${en(SOURCES_MAX)} over all categories;`,
  ],
  ["docs/runbooks/NamAiCallsUndercounted.md", `than the table holds, ${en(WATCHED)} at one sensor`],
  ["grafana/src/ai-agents/limits.ts", `of ${en(WATCHED)} at most at one sensor`],
  ["prometheus/rules/ai.yml", `category!~"${QUIET_CATEGORIES.join("|")}"`],
  ["docs/ai-traffic.md", `${en(WATCHED)} connections are watched at once`],
];

describe("what is repeated of the code", () => {
  it.each(sentences)("stands in %s: %s", (file, words) => {
    // Lines break anywhere, and begin with # in comments.
    const text = readProjectFile(file).replace(/\s+(?:# )?/g, " ");
    expect(text.includes(words)).toBe(true);
  });
});
