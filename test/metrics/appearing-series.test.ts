// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { Core } from "../../src/core.ts";
import { ZERO_MS } from "../../src/metrics/cell-families.ts";
import { CellLayout } from "../../src/metrics/cells.ts";
import type { MetricDefinition } from "../../src/metrics/metric.ts";
import { MetricsRegistry } from "../../src/metrics/registry.ts";
import { DEFAULT_SERIES_BUDGET, SERIES_AT_REST } from "../../src/metrics/series-budget.ts";
import { createLog } from "../../src/util/log.ts";
import { parseText } from "../support/exposition.ts";

const calls: MetricDefinition = {
  name: "nam_test_calls_total",
  help: "Calls.",
  type: "counter",
  labels: { provider: ["acme", "globex", "none"], way: ["in", "out"] },
  appearsWith: ({ provider = "" }) => (provider === "none" ? "" : provider),
};
/** The cells of `calls`: the last label varies fastest. */
const ACME_OUT = 1;

function exposeCalls(options: { seriesBudget?: number } = {}) {
  const time = { ms: 1000 };
  const registry = new MetricsRegistry({ ...options, nowMs: () => time.ms });
  const layout = new CellLayout([calls]);
  const values = new Float64Array(layout.size);
  registry.cells(layout, values);
  const scrape = async (isLast = false): Promise<Record<string, number>> => {
    const { body } = await registry.text(false, isLast);
    const samples = parseText(body).get(calls.name)?.samples ?? [];
    return Object.fromEntries(
      samples.map(({ labels, value }) => [`${labels.provider} ${labels.way}`, value]),
    );
  };
  const refused = async (): Promise<number | undefined> => {
    const { body } = await registry.text(false);
    return parseText(body).get("nam_series_overflow_total")?.samples[0]?.value;
  };
  return { values, scrape, refused, time };
}

describe("series that appear", () => {
  it("are not there before their group has counted, and those without a group are", async () => {
    const { scrape } = exposeCalls();
    expect(await scrape()).toEqual({ "none in": 0, "none out": 0 });
  });

  it("come all together, at 0 for half a minute, so that increase() of every server sees their first event", async () => {
    const { values, scrape, time } = exposeCalls();
    const others = { "acme in": 0, "none in": 0, "none out": 0 };
    values[ACME_OUT] = 7;
    time.ms += 1_000_000;
    for (const afterMs of [0, 5000, 15_000, ZERO_MS - 20_001]) {
      time.ms += afterMs;
      expect(await scrape()).toEqual({ "acme out": 0, ...others });
    }
    values[ACME_OUT] = 9;
    time.ms += 1;
    expect(await scrape()).toEqual({ "acme out": 9, ...others });
    time.ms += 1;
    expect(await scrape()).toEqual({ "acme out": 9, ...others });
  });

  it("do not wait where there is no next scrape", async () => {
    const { values, scrape } = exposeCalls();
    values[ACME_OUT] = 7;
    expect(await scrape(true)).toMatchObject({ "acme in": 0, "acme out": 7 });
  });

  it("stay away for good, and are counted once, where the budget is spent", async () => {
    const { values, scrape, refused } = exposeCalls({ seriesBudget: 5 });
    values[ACME_OUT] = 7;
    expect(await scrape()).toEqual({ "none in": 0, "none out": 0 });
    expect(await scrape()).toEqual({ "none in": 0, "none out": 0 });
    expect(await refused()).toBe(2);
  });
});

describe("an agent's series", () => {
  const { config } = loadConfig({ env: {}, flags: [] });

  async function scraped(fill: number): Promise<ReturnType<typeof parseText>> {
    const core = new Core({
      ...{ detect: config.detectors, home: config.networks.home, agent: "test" },
      log: createLog({ level: "silent", format: "json" }),
    });
    core.totals.fill(fill);
    return parseText((await core.registry.text(false)).body);
  }

  async function exposed(fill: number): Promise<{ series: number; refused: number }> {
    const families = await scraped(fill);
    const value = (name: string): number => families.get(name)?.samples[0]?.value ?? Number.NaN;
    return { series: value("nam_series"), refused: value("nam_series_overflow_total") };
  }

  it("of clients that few networks have come with the first of these", async () => {
    const clients = async (fill: number): Promise<Set<string | undefined>> => {
      const hellos = (await scraped(fill)).get("nam_tls_hellos_total")?.samples ?? [];
      return new Set(hellos.map(({ labels }) => labels.family));
    };
    const usual = ["python", "node", "curl", "go", "chromium", "other"];
    expect(await clients(0)).toEqual(new Set(usual));
    expect(await clients(1)).toEqual(new Set([...usual, "java", "deno", "firefox", "safari"]));
  });

  it("keep their bound at rest, and when everything that can appear has appeared", async () => {
    const rest = await exposed(0);
    const most = await exposed(1);
    expect(rest.refused).toBe(0);
    expect(rest.series).toBeLessThanOrEqual(SERIES_AT_REST);
    expect(most.refused).toBe(0);
    expect(most.series).toBeGreaterThan(rest.series);
    expect(most.series).toBeLessThanOrEqual(DEFAULT_SERIES_BUDGET);
  });
});
