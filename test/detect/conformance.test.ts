// SPDX-License-Identifier: AGPL-3.0-or-later
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { agentServersUnauthenticated } from "../../src/agent-servers.ts";
import { captureMetrics } from "../../src/capture-metrics.ts";
import { decodeMetrics } from "../../src/decode/families.ts";
import { detectors, detectSettings } from "../../src/detect/all.ts";
import { type Anomaly, SEVERITIES } from "../../src/detect/detector.ts";
import { guardSettings } from "../../src/detect/guards.ts";
import { detectorSettings } from "../../src/detect/settings.ts";
import { distinctMetric } from "../../src/flow/distinct.ts";
import { flowGauges, flowMetrics } from "../../src/flow/families.ts";
import { hostMetrics } from "../../src/host/families.ts";
import type { MetricDefinition } from "../../src/metrics/metric.ts";
import { DetectionBench } from "../support/detection-bench.ts";
import { gallery } from "../support/detection-gallery.ts";
import { hasTool } from "../support/tool.ts";

let events: readonly Anomaly[] = [];
const folder = mkdtempSync(join(tmpdir(), "nam-detect-"));

// Days of windows are told in it, which takes seconds where other suites share the cores.
beforeAll(() => {
  events = gallery();
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(detectors)("detector $name", (definition) => {
  const own = (): Anomaly[] => events.filter(({ detector }) => detector === definition.name);

  it("has a name that can be a label and a key, and says what it does", () => {
    expect(definition.name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(definition.class).toMatch(/^[a-z]+$/);
    expect(definition.help).toMatch(/^[A-Z].{30,}\.$/);
    expect(definition.severities.length).toBeGreaterThan(0);
    expect(definition.quietSeconds).toBeLessThanOrEqual(60);
  });

  it("runs on no settings at all, and refuses unknown ones", () => {
    expect(definition.settings.safeParse({}).success).toBe(true);
    expect(definition.settings.safeParse({ no_such_setting: 1 }).success).toBe(false);
  });

  it("describes every setting and has a default for it", () => {
    const { properties = {} } = z.toJSONSchema(detectorSettings(definition), { io: "input" });
    expect(Object.keys(properties)).toContain("enabled");
    for (const [name, property] of Object.entries(properties)) {
      expect(name).toMatch(/^[a-z0-9_]+$/);
      expect(property, name).toMatchObject({
        description: expect.stringMatching(/^[A-Z].{10,}\.$/),
        default: expect.anything(),
      });
    }
  });

  it("can be provoked, and then raises only severities it declares", () => {
    expect(own().length).toBeGreaterThan(0);
    for (const { severity } of own()) expect(definition.severities).toContain(severity);
  });

  it("says what it found, in numbers and in a sentence", () => {
    for (const event of own()) {
      const { observed, expected, window_s, samples, threshold } = event;
      const numbers = [observed, expected, window_s, samples, threshold.value, event.z ?? 0];
      expect(numbers.every(Number.isFinite), JSON.stringify(numbers)).toBe(true);
      expect(event.explanation).toMatch(/^\S.{30,400}\.$/);
      expect(event.evidence.length).toBeGreaterThan(0);
      expect(event.evidence.length).toBeLessThanOrEqual(5);
      for (const fact of event.evidence) expect(fact).toMatch(/\S/);
      expect(`${event.explanation}${event.evidence.join()}`).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  it("names a setting that exists", () => {
    const paths = (section: string, { shape }: z.ZodObject): string[] =>
      Object.keys(shape).map((name) => `detectors.${section}.${name}`);
    const known = [
      ...paths(definition.name, detectorSettings(definition)),
      ...paths("guards", guardSettings),
    ];
    for (const { threshold } of own()) expect(known).toContain(threshold.setting);
  });

  it("refers to detectors that exist", () => {
    const { supersededBy = [] } = definition;
    expect(detectors.map(({ name }) => name)).toEqual(expect.arrayContaining([...supersededBy]));
  });
});

describe("suggestions", () => {
  it.skipIf(!hasTool("tshark"))("are display filters that tshark takes", () => {
    const capture = join(folder, "empty.pcap");
    writeFileSync(capture, emptyCapture());
    const filters = [...new Set(events.map(({ suggestion }) => suggestion.wireshark_filter))];
    expect(filters.length).toBeGreaterThan(5);
    const all = filters.map((filter) => `(${filter})`).join(" || ");
    const { status, stderr } = spawnSync("tshark", ["-r", capture, "-Y", all], {
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
  });

  it.skipIf(!hasTool("promtool", "prometheus"))("are PromQL that Prometheus takes", () => {
    const queries = [...new Set(events.map(({ suggestion }) => suggestion.promql))];
    expect(queries.length).toBeGreaterThan(5);
    const rules = queries.map((expr, at) => ({ record: `test:query:${at}`, expr }));
    const file = join(folder, "queries.json");
    writeFileSync(file, JSON.stringify({ groups: [{ name: "suggestions", rules }] }));
    expect(() => execFileSync("promtool", ["check", "rules", file])).not.toThrow();
  });

  it("ask for metrics of the product, with label values that exist", () => {
    const own = new DetectionBench().registry.definitions();
    const known = new Map(
      [
        ...captureMetrics,
        ...decodeMetrics,
        ...flowMetrics,
        ...flowGauges,
        distinctMetric,
        ...hostMetrics,
        agentServersUnauthenticated,
        ...own,
      ].map((definition) => [definition.name as string, definition]),
    );
    for (const { suggestion } of events) {
      const selectors = [...suggestion.promql.matchAll(/(nam_\w+)(\{[^}]*\})?/g)];
      expect(selectors.length, suggestion.promql).toBeGreaterThan(0);
      for (const [, name = "", matchers = ""] of selectors) {
        const definition = known.get(name);
        expect(definition, name).toBeDefined();
        if (definition) expectLabels(definition, matchers);
      }
    }
  });
});

describe("settings", () => {
  it("are valid when empty, and refuse what they do not know", () => {
    const all = detectSettings.parse(undefined);
    expect(Object.keys(all).sort()).toEqual(
      ["guards", "allow", ...detectors.map(({ name }) => name)].sort(),
    );
    expect(detectSettings.safeParse({ portscan: {} }).success).toBe(false);
    expect(detectSettings.safeParse({ port_scan: { alfa: 1 } }).success).toBe(false);
  });

  it("have a schema for editors that describes every field", () => {
    const schema = JSON.stringify(z.toJSONSchema(detectSettings, { io: "input" }));
    for (const { help } of detectors) expect(schema).toContain(JSON.stringify(help).slice(1, -1));
  });

  it("describe every guard", () => {
    for (const field of Object.values(guardSettings.shape)) {
      expect(field.description).toMatch(/^[A-Z].{10,}\.$/);
    }
  });

  it("can be taken apart by detector", () => {
    for (const definition of detectors) {
      expect(detectorSettings(definition).parse({})).toMatchObject({ enabled: true });
    }
  });
});

describe("the list", () => {
  it("names each detector once, and none of them guards", () => {
    const names = detectors.map(({ name }) => name);
    expect(new Set([...names, "guards"]).size).toBe(names.length + 1);
  });

  it("has severities of the closed set only", () => {
    for (const { severities } of detectors) {
      for (const severity of severities) expect(SEVERITIES).toContain(severity);
    }
  });
});

/** A capture file without a packet. */
function emptyCapture(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  return header;
}

function expectLabels({ name, labels = {} }: MetricDefinition, matchers: string): void {
  for (const [, label = "", operator, value = ""] of matchers.matchAll(
    /(\w+)(=~|!=|=)"([^"]*)"/g,
  )) {
    const values = labels[label];
    expect(values, `${name}{${label}}`).toBeDefined();
    if (!values) continue;
    for (const one of operator === "=~" ? value.split("|") : [value]) {
      expect(values, `${name}{${label}="${one}"}`).toContain(one);
    }
  }
}
