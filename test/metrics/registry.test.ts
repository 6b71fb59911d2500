// SPDX-License-Identifier: AGPL-3.0-or-later
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { CellLayout, observe } from "../../src/metrics/cells.ts";
import type { MetricDefinition } from "../../src/metrics/metric.ts";
import { MetricsRegistry } from "../../src/metrics/registry.ts";
import { type ParsedFamily, parseOpenMetrics, parseText } from "../support/exposition.ts";

const events: MetricDefinition = {
  name: "nam_test_events_total",
  help: 'Events, "quoted", with a \\ and\na second line.',
  type: "counter",
  labels: { detector: ["scan", "flood"], severity: ["info", "critical"] },
};
const depth: MetricDefinition = {
  name: "nam_test_depth",
  help: "Depth of a queue.",
  type: "gauge",
  labels: { channel: null },
};
const latency: MetricDefinition = {
  name: "nam_test_latency_seconds",
  help: "Latency.",
  type: "histogram",
  labels: { channel: null },
  buckets: [0.25, 1, 5],
};

async function openMetrics(registry: MetricsRegistry): Promise<Map<string, ParsedFamily>> {
  return parseOpenMetrics((await registry.text(true)).body);
}

async function plainText(registry: MetricsRegistry): Promise<Map<string, ParsedFamily>> {
  return parseText((await registry.text(false)).body);
}

describe("families of instruments", () => {
  it("exist at 0 for closed label sets before anything happened", async () => {
    const registry = new MetricsRegistry();
    registry.counter(events);
    const family = (await plainText(registry)).get(events.name);
    expect(
      family?.samples.map(({ labels, value }) => [labels.detector, labels.severity, value]),
    ).toEqual([
      ["scan", "info", 0],
      ["scan", "critical", 0],
      ["flood", "info", 0],
      ["flood", "critical", 0],
    ]);
  });

  it("carry the same numbers in both formats, counters under their own spelling", async () => {
    const registry = new MetricsRegistry();
    registry.counter(events).inc({ detector: "scan", severity: "info" }, 3);
    const [text, metrics] = await Promise.all([plainText(registry), openMetrics(registry)]);
    expect(text.get("nam_test_events_total")?.samples[0]?.value).toBe(3);
    expect(metrics.get("nam_test_events")?.samples[0]).toMatchObject({
      name: "nam_test_events_total",
      value: 3,
    });
    expect(text.get("nam_test_events_total")?.help).toBe(events.help);
    expect(metrics.get("nam_test_events")?.help).toBe(events.help);
  });

  it("stay right when scrapes of both formats overlap many times", async () => {
    const registry = new MetricsRegistry();
    registry.counter(events);
    registry.processMetrics();
    const scrapes = await Promise.all(
      Array.from({ length: 40 }, (_, index) => registry.text(index % 2 === 0)),
    );
    for (const [index, { body, contentType }] of scrapes.entries()) {
      if (index % 2 === 0) {
        expect(contentType).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
        expect(parseOpenMetrics(body).get("nam_test_events")?.samples).toHaveLength(4);
      } else {
        expect(contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
        expect(parseText(body).get("nam_test_events_total")?.samples).toHaveLength(4);
      }
    }
  });

  it("show exemplars on counters, in OpenMetrics only", async () => {
    const registry = new MetricsRegistry();
    const counter = registry.counter(events);
    counter.inc({ detector: "scan", severity: "info" }, 1, { event_id: "ev-1" });
    counter.inc({ detector: "flood", severity: "info" }, 1, { event_id: "x".repeat(200) });
    const samples = (await openMetrics(registry)).get("nam_test_events")?.samples;
    expect(samples?.[0]?.exemplar).toEqual({ labels: { event_id: "ev-1" }, value: 1 });
    expect(samples?.[2]).not.toHaveProperty("exemplar");
    expect((await registry.text(false)).body).not.toContain("ev-1");
  });

  it("escape label values", async () => {
    const registry = new MetricsRegistry();
    const hostile = 'a"b\\c\nd,e="f"}';
    registry.gauge(depth).set({ channel: hostile }, 1);
    expect((await plainText(registry)).get(depth.name)?.samples[0]?.labels.channel).toBe(hostile);
    expect((await openMetrics(registry)).get(depth.name)?.samples[0]?.labels.channel).toBe(hostile);
  });

  it("forget a removed gauge, and keep a histogram that is initialised again", async () => {
    const registry = new MetricsRegistry();
    const gauge = registry.gauge(depth);
    gauge.set({ channel: "a" }, 1);
    gauge.set({ channel: "b" }, Number.NaN);
    gauge.remove({ channel: "a" });
    const histogram = registry.histogram(latency);
    histogram.init({ channel: "a" });
    histogram.observe({ channel: "a" }, 0.5);
    histogram.observe({ channel: "a" }, Number.NaN);
    histogram.init({ channel: "a" });
    const families = await openMetrics(registry);
    expect(families.get(depth.name)?.samples).toEqual([
      { name: depth.name, labels: { channel: "b" }, value: 0 },
    ]);
    expect(
      families.get(latency.name)?.samples.map(({ labels, value }) => [labels.le, value]),
    ).toEqual([
      ["0.25", 0],
      ["1.0", 1],
      ["5.0", 1],
      ["+Inf", 1],
      [undefined, 0.5],
      [undefined, 1],
    ]);
  });

  it("run collectors before every scrape", async () => {
    const registry = new MetricsRegistry();
    const gauge = registry.gauge(depth);
    let scrapes = 0;
    registry.onCollect(() => gauge.set({ channel: "a" }, ++scrapes));
    await registry.text(false);
    expect((await plainText(registry)).get(depth.name)?.samples[0]?.value).toBe(2);
  });
});

describe("families of cells", () => {
  const packets: MetricDefinition = {
    name: "nam_test_packets_total",
    help: "Packets.",
    type: "counter",
    labels: { protocol: ["tcp", "udp"] },
  };
  const size: MetricDefinition = {
    name: "nam_test_size_bytes",
    help: "Sizes.",
    type: "histogram",
    buckets: [64, 1500],
  };

  it("read the cells at the scrape", async () => {
    const registry = new MetricsRegistry();
    const layout = new CellLayout([packets, size]);
    const values = new Float64Array(layout.size);
    registry.cells(layout, values);
    values[layout.slots(packets, { protocol: "udp" })[0] as number] = 7;
    for (const bytes of [60, 64, 1000, 9000]) observe(values, layout.base(size), [64, 1500], bytes);
    const families = await openMetrics(registry);
    expect(families.get("nam_test_packets")?.samples.map(({ value }) => value)).toEqual([0, 7]);
    expect(families.get(size.name)?.samples.map(({ labels, value }) => [labels.le, value])).toEqual(
      [
        ["64.0", 2],
        ["1500.0", 3],
        ["+Inf", 4],
        [undefined, 10_124],
        [undefined, 4],
      ],
    );
  });

  it("write 2,000 series in less than 10 ms", async () => {
    const protocols = Array.from({ length: 50 }, (_, index) => `protocol${index}`);
    const registry = new MetricsRegistry({ seriesBudget: 3000 });
    const layout = new CellLayout(
      Array.from(
        { length: 10 },
        (_, index): MetricDefinition => ({
          name: `nam_test_${index}_packets_total`,
          help: "Packets.",
          type: "counter",
          labels: { protocol: protocols, direction: ["in", "out", "other"] },
        }),
      ),
    );
    registry.cells(layout, new Float64Array(layout.size).fill(123_456_789));
    const counter = registry.counter({ ...depth, name: "nam_test_sends_total", type: "counter" });
    for (let index = 0; index < 500; index++) counter.inc({ channel: `channel${index}` });
    await registry.text(false);
    const before = process.cpuUsage();
    for (let round = 0; round < 30; round++) await registry.text(round % 2 === 0);
    // Processor time, which other programs on a busy machine do not lengthen.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000 / 30).toBeLessThan(10);
  });
});

describe("the series budget", () => {
  it("exposes what fits and counts what does not", async () => {
    const registry = new MetricsRegistry({ seriesBudget: 8 });
    registry.counter(events);
    const gauge = registry.gauge(depth);
    for (const channel of ["a", "b", "c", "d"]) gauge.set({ channel }, 1);
    gauge.remove({ channel: "a" });
    gauge.set({ channel: "e" }, 1);
    registry.histogram(latency).observe({ channel: "a" }, 1);
    const families = await plainText(registry);
    expect(families.get(depth.name)?.samples.map(({ labels }) => labels.channel)).toEqual([
      "b",
      "e",
    ]);
    expect(families.get(latency.name)?.samples).toEqual([]);
    expect(families.get("nam_series")?.samples[0]?.value).toBe(8);
    expect(families.get("nam_series_overflow_total")?.samples[0]?.value).toBe(2 + 6);
  });

  it("holds for cells and for families without labels", async () => {
    const registry = new MetricsRegistry({ seriesBudget: 4 });
    const layout = new CellLayout([events]);
    registry.cells(layout, new Float64Array(layout.size));
    registry.counter({ name: "nam_test_total", help: "None left.", type: "counter" }).inc({});
    const families = await plainText(registry);
    expect(families.get(events.name)?.samples).toHaveLength(2);
    expect(families.get("nam_test_total")?.samples).toEqual([]);
    expect(families.get("nam_series")?.samples[0]?.value).toBe(4);
    expect(families.get("nam_series_overflow_total")?.samples[0]?.value).toBe(2 + 2);
  });

  it("counts the series of a whole agent with its process metrics", async () => {
    const registry = new MetricsRegistry();
    registry.buildMetrics({ version: "1.2.3", revision: "abc" }, 1_700_000_000);
    registry.processMetrics();
    const families = await plainText(registry);
    const series = [...families.values()].reduce((sum, { samples }) => sum + samples.length, 0);
    expect(families.get("nam_series")?.samples[0]?.value).toBe(series);
    expect(families.get("nam_series_overflow_total")?.samples[0]?.value).toBe(0);
    expect(families.get("nam_build_info")?.samples[0]?.labels).toEqual({
      version: "1.2.3",
      revision: "abc",
      node: process.versions.node,
    });
  });

  it("does not change with what the process does", async () => {
    const registry = new MetricsRegistry();
    registry.processMetrics();
    const names = async (): Promise<string[]> => {
      const families = [...(await plainText(registry)).values()];
      return families.flatMap(({ samples }) =>
        samples.map((sample) => JSON.stringify([sample.name, sample.labels])),
      );
    };
    await names();
    const before = await names();
    const timers = Array.from({ length: 3 }, () => setInterval(() => undefined, 1_000));
    const server = createServer().listen(0);
    expect(await names()).toEqual(before);
    for (const timer of timers) clearInterval(timer);
    server.close();
  });

  it("refuses a label value outside its closed set", async () => {
    const registry = new MetricsRegistry();
    registry.counter(events).inc({ detector: "invented", severity: "info" });
    const families = await plainText(registry);
    expect(families.get(events.name)?.samples).toHaveLength(4);
    expect(families.get("nam_series_overflow_total")?.samples[0]?.value).toBe(1);
  });
});

describe("programmer faults", () => {
  const gauge = (name: `nam_${string}`): MetricDefinition => ({
    name,
    help: "Help.",
    type: "gauge",
  });

  it.each<[string, (registry: MetricsRegistry) => void]>([
    ["a name twice", (r) => [gauge("nam_a"), gauge("nam_a")].map((d) => r.gauge(d))],
    ["a counter without _total", (r) => r.counter({ ...gauge("nam_a"), type: "counter" })],
    ["a gauge with _total", (r) => r.gauge(gauge("nam_a_total"))],
    [
      "a gauge beside a counter of its name",
      (r) => {
        r.counter({ name: "nam_a_total", help: "Help.", type: "counter" });
        r.gauge(gauge("nam_a"));
      },
    ],
    [
      "a gauge named like a part of a histogram",
      (r) => {
        r.histogram({ name: "nam_a", help: "Help.", type: "histogram", buckets: [1] });
        r.gauge(gauge("nam_a_count"));
      },
    ],
    ["an instrument of another type", (r) => r.counter(gauge("nam_a"))],
    ["a missing label", (r) => r.gauge(depth).set({}, 1)],
    ["a label too many", (r) => r.gauge(depth).set({ channel: "a", other: "b" }, 1)],
    [
      "a counter that shrinks",
      (r) => r.counter(events).inc({ detector: "scan", severity: "info" }, -1),
    ],
    [
      "a counter that grows by NaN",
      (r) => r.counter(events).inc({ detector: "scan", severity: "info" }, NaN),
    ],
  ])("%s is an error", (_, fault) => {
    expect(() => fault(new MetricsRegistry())).toThrow(
      expect.objectContaining({ code: "INTERNAL" }),
    );
  });
});
