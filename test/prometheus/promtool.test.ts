// SPDX-License-Identifier: AGPL-3.0-or-later
// promtool's own checks, and that the unit tests of the rules cover what a unit test of an alert must cover.
import { execFile } from "node:child_process";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { projectFiles, readProjectFile, root } from "../support/project.ts";
import { readExpression } from "../support/promql.ts";
import { alertRules, recordingRules, ruleFiles } from "../support/rules.ts";
import { hasTool } from "../support/tool.ts";

interface RuleTest {
  readonly name: string;
  readonly input_series: readonly { readonly series: string; readonly values: string }[];
  readonly alert_rule_test?: readonly {
    readonly alertname: string;
    readonly eval_time: string;
    readonly exp_alerts: readonly { readonly exp_labels: Readonly<Record<string, string>> }[];
  }[];
}

interface TestFile {
  readonly rule_files: readonly string[];
  /** Without it promtool takes any order, and a rule reads what another recorded now or one evaluation ago. */
  readonly group_eval_order: readonly string[];
  readonly tests: readonly RuleTest[];
}

/** Ten of them at once use two cores better for rules than for garbage. */
const ENV = { ...process.env, GOGC: "400" };

const testFiles = projectFiles("prometheus/tests").filter((path) => path.endsWith(".test.yml"));
const files = testFiles.map(
  // The shape is promtool's to check.
  (path) => [path, load(readProjectFile(path)) as unknown as TestFile] as const,
);
const tests = files.flatMap(([, file]) => file.tests);

describe.skipIf(!hasTool("promtool", "prometheus"))("promtool", { concurrent: true }, () => {
  it("accepts the configuration and every rule", async () => {
    expect(await promtool("check", "config", "prometheus/prometheus.yml")).toBe("");
    expect(await promtool("check", "rules", ...ruleFiles())).toBe("");
  });

  it.each(testFiles)("passes %s", { timeout: 120_000 }, async (path) => {
    expect(await promtool("test", "rules", path)).toBe("");
  });
});

it.each(files)("%s gives all its groups an order, recording rules first", (_path, file) => {
  const loaded = file.rule_files.map((path) => path.replace("../", "prometheus/"));
  const groups = [...recordingRules(), ...alertRules()].filter((rule) =>
    loaded.includes(rule.file),
  );
  expect([...file.group_eval_order].sort()).toEqual(
    [...new Set(groups.map(({ group }) => group))].sort(),
  );
  expect(file.group_eval_order.slice(0, 3)).toEqual(["nam-rates", "nam-health", "nam-day"]);
});

// The one alert that is never silent is tested by its own file alone.
const names = new Set(alertRules().flatMap(({ alert }) => (alert === "Watchdog" ? [] : [alert])));

describe.each([...names])("tests of %s", (name) => {
  const own = tests.filter(({ alert_rule_test = [] }) =>
    alert_rule_test.some(({ alertname }) => alertname === name),
  );
  const steps = own.map(({ alert_rule_test = [] }) =>
    alert_rule_test.filter(({ alertname }) => alertname === name),
  );
  const firing = steps.flat().flatMap(({ exp_alerts }) => exp_alerts);
  const rules = alertRules().filter(({ alert }) => alert === name);
  const selectors = rules.flatMap(({ expr }) => readExpression(expr).selectors);

  it("see every severity of it fire", () => {
    const severities = new Set(firing.map(({ exp_labels }) => exp_labels.severity));
    for (const { labels } of rules) {
      if (labels.severity !== undefined) expect(severities).toContain(labels.severity);
    }
    expect(firing.length).toBeGreaterThan(0);
  });

  it("see it silent before and after, with the same series", () => {
    const whole = steps.some((at) => {
      const pattern = at.map(({ exp_alerts }) => (exp_alerts.length > 0 ? "x" : "-")).join("");
      return /^-+x+-+$/.test(pattern);
    });
    expect(whole).toBe(true);
  });

  it("see it silent where it should be tempted", () => {
    const fired = new Set(firing.map(({ exp_labels }) => exp_labels.instance));
    const tempted = own.flatMap(({ input_series }) =>
      input_series.flatMap(({ series }) => /instance="(good[^"]*)"/.exec(series)?.[1] ?? []),
    );
    expect(tempted.length).toBeGreaterThan(0);
    expect(tempted.filter((instance) => fired.has(instance))).toEqual([]);
  });

  it("see what it does with nothing to read", () => {
    const metrics = new Set(selectors.map(({ metric }) => metric));
    const nothing = own.filter(({ input_series }) =>
      input_series.every(({ series }) => {
        const [, metric = "", labels = ""] = /^([^{]*)(.*)$/.exec(series) ?? [];
        return !metrics.has(metric) || !labels.includes('job="nam"') || metric === "up";
      }),
    );
    expect(nothing.length).toBeGreaterThan(0);
  });

  it("see a counter begin again at 0", () => {
    const counters = selectors.filter(({ metric }) => metric.endsWith("_total"));
    for (const { metric } of counters) {
      const resets = own.some(({ input_series }) =>
        input_series.some(
          ({ series, values }) =>
            series.startsWith(`${metric}{`) &&
            series.includes('instance="restarted"') &&
            / 0(\+\d+)?x\d+$/.test(values),
        ),
      );
      expect(`${metric} ${resets}`).toBe(`${metric} true`);
    }
  });
});

/** What promtool complains of, "" where it is content. */
function promtool(...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile("promtool", args, { cwd: root, env: ENV }, (error, stdout, stderr) =>
      resolve(error ? `${error.message}${stdout}${stderr}` : ""),
    );
  });
}
