// SPDX-License-Identifier: AGPL-3.0-or-later
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { metricCatalogue } from "../../src/catalogue.ts";
import type { MetricDefinition } from "../../src/metrics/metric.ts";
import { MetricsRegistry } from "../../src/metrics/registry.ts";
import { selfMetrics } from "../../src/metrics/self-metrics.ts";
import { parseOpenMetrics, parseText } from "../support/exposition.ts";
import { hasTool } from "../support/tool.ts";

/** A registry with every family of the product, each with at least one series. */
function everyFamily(): MetricsRegistry {
  const registry = new MetricsRegistry({ seriesBudget: 20_000 });
  registry.buildMetrics({ version: "1.0.0", revision: "abc" }, 1_700_000_000);
  registry.processMetrics();
  for (const definition of metricCatalogue())
    if (!selfMetrics.includes(definition)) expose(registry, definition);
  return registry;
}

function expose(registry: MetricsRegistry, definition: MetricDefinition): void {
  const labels = Object.fromEntries(
    Object.entries(definition.labels ?? {}).map(([name, values]) => [name, values?.[0] ?? "x"]),
  );
  if (definition.type === "counter") registry.counter(definition).init(labels);
  else if (definition.type === "gauge") registry.gauge(definition).set(labels, 1);
  else registry.histogram(definition).init(labels);
}

function promtool(input: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
    input,
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

describe("the whole catalogue", () => {
  it("is a valid exposition in both formats", async () => {
    const registry = everyFamily();
    const text = parseText((await registry.text(false)).body);
    const metrics = parseOpenMetrics((await registry.text(true)).body);
    expect(text.size).toBeGreaterThan(metricCatalogue().length);
    expect(metrics.size).toBe(text.size);
  });

  it.skipIf(!hasTool("promtool", "prometheus"))("pleases promtool check metrics", async () => {
    expect(promtool((await everyFamily().text(false)).body)).toEqual({ status: 0, output: "" });
  });

  it.skipIf(!hasTool("promtool", "prometheus"))("would not, were a name wrong", () => {
    const bad =
      "# HELP nam_wrong_total A gauge.\n# TYPE nam_wrong_total gauge\nnam_wrong_total 1\n";
    expect(promtool(bad).output).toContain("_total");
  });
});
