// SPDX-License-Identifier: AGPL-3.0-or-later
// House rules of the alerts and recording rules: what promtool does not check, and reviewers forget.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { namedExpressions } from "../support/named-metrics.ts";
import { projectFiles, readProjectFile, root } from "../support/project.ts";
import { durationSeconds, readExpression } from "../support/promql.ts";
import { alertRules, recordingRules, ruleFiles } from "../support/rules.ts";

/** The longest scrape interval the rules promise to work with; prometheus.yml says why. */
const LONGEST_SCRAPE_SECONDS = 15;
const SEVERITIES = ["critical", "warning", "info", "none"];
const KINDS = ["anomaly", "agent", "fleet", "watchdog"];
const EVENT_METRICS = ["nam_anomaly_active", "nam_anomaly_events_total"];
/** Counters, and the counters that a histogram is made of. */
const COUNTER = /_(total|bucket|sum|count)$/;
const COUNTER_FUNCTIONS = ["rate", "increase"];

const alerts = alertRules().map((rule) => [rule.alert, rule] as const);
const expressions = [
  ...alerts.map(([name, { expr }]) => [name, expr] as const),
  ...recordingRules().map(({ record, expr }) => [record, expr] as const),
];

describe.each(alerts)("alert %s", (name, rule) => {
  it("has the common prefix, so that it can be found and routed", () => {
    // Watchdog is the name that dead man's switches know.
    expect(name).toMatch(/^(Nam[A-Z][A-Za-z]+|Watchdog)$/);
  });

  it("has a kind, and a severity of its own or the event's", () => {
    expect(KINDS).toContain(rule.labels.kind);
    const metrics = readExpression(rule.expr).selectors.map(({ metric }) => metric);
    const ofEvent = metrics.every((metric) => EVENT_METRICS.includes(metric));
    if (rule.labels.severity === undefined) expect(ofEvent).toBe(true);
    else expect(SEVERITIES).toContain(rule.labels.severity);
  });

  it("keeps values out of its labels: a label that changes starts `for` again", () => {
    expect(Object.values(rule.labels).filter((value) => value.includes("{{"))).toEqual([]);
  });

  it("has a summary that is one fixed sentence", () => {
    expect(rule.annotations.summary).toMatch(/^[A-Z][^{}]+\.$/);
  });

  it("has a description that says where, unless it is about no one place", () => {
    const description = rule.annotations.description ?? "";
    expect(description.length).toBeGreaterThan(40);
    const places = /\$labels\.(instance|job)/;
    if (rule.labels.kind !== "watchdog") expect(description).toMatch(places);
  });

  it("leads to its runbook and to a dashboard", () => {
    expect(rule.annotations.runbook_url).toBe(`docs/runbooks/${name}.md`);
    expect(existsSync(join(root, `docs/runbooks/${name}.md`))).toBe(true);
    expect(rule.annotations.dashboard_url).toMatch(/^\/d\/nam-(overview|ai-agents)(\?|$)/);
  });

  it("compares with something, so that it can be silent", () => {
    if (name !== "Watchdog") expect(rule.expr).toMatch(/[<>]|==|!=|\bunless\b|\babsent\(/);
  });

  it("has no topk: which series it picks changes from one evaluation to the next", () => {
    expect(rule.expr).not.toMatch(/\b(topk|bottomk|limitk)\b/);
  });

  it("waits and lingers for a sane time", () => {
    const times = [rule.for, rule.keep_firing_for].filter((time) => time !== undefined);
    for (const time of times) {
      expect(durationSeconds(time)).toBeGreaterThanOrEqual(2 * LONGEST_SCRAPE_SECONDS);
      expect(durationSeconds(time)).toBeLessThanOrEqual(12 * 3600);
    }
  });
});

describe.each(expressions)("expression of %s", (_name, expr) => {
  it("looks back over at least four scrapes", () => {
    for (const { range } of readExpression(expr).selectors) {
      if (range === "") continue;
      expect(durationSeconds(range)).toBeGreaterThanOrEqual(4 * LONGEST_SCRAPE_SECONDS);
    }
  });

  it("reads counters, and nothing else, through rate or increase", () => {
    for (const { metric, within } of readExpression(expr).selectors) {
      const through = within.some((call) => COUNTER_FUNCTIONS.includes(call));
      expect(`${metric} ${through}`).toBe(`${metric} ${COUNTER.test(metric)}`);
    }
  });

  it("names the job where the metric is not the agent's own", () => {
    for (const { metric, matchers } of readExpression(expr).selectors) {
      if (!/^nam_|:nam_|^job:/.test(metric)) expect(matchers.job).toBe('="nam"');
    }
  });
});

describe("recording rules", () => {
  it.each(recordingRules().map(({ record }) => record))(
    "%s is level:metric:operations",
    (record) => {
      expect(record).toMatch(/^(instance|job)(_[a-z]+)*:(nam_[a-z_]+|up):[a-z0-9_]+$/);
      expect(record).not.toContain("_total");
    },
  );

  it("are each read by a rule or a dashboard, or documented as for others", () => {
    const read = new Set(namedExpressions().flatMap(({ metrics }) => metrics));
    const unread = recordingRules()
      .map(({ record }) => record)
      .filter((record) => !read.has(record));
    const [, text = ""] = /\n(Nothing that is shipped reads[\s\S]*?)\n\n/.exec(
      readProjectFile("docs/prometheus.md"),
    ) ?? [""];
    const forOthers = [...text.matchAll(/`([a-z_]+:[a-z0-9_:]+)`/g)].map(([, record]) => record);
    expect(unread.sort()).toEqual(forOthers.sort());
  });

  it("are each written once", () => {
    const names = recordingRules().map(({ record }) => record);
    expect(names).toEqual([...new Set(names)]);
  });
});

describe("alerts", () => {
  it("are each written once for every severity", () => {
    const keys = alerts.map(([name, { labels }]) => `${name} ${labels.severity}`);
    expect(keys).toEqual([...new Set(keys)]);
  });

  it("are all in the table of docs/prometheus.md, with their severities", () => {
    const table = readProjectFile("docs/prometheus.md");
    const names = [...new Set(alerts.map(([name]) => name))];
    const rows = names.map((name) => {
      const severities = alerts
        .filter(([other]) => other === name)
        .map(([, { labels }]) => labels.severity ?? "the event's");
      return `| [${name}](runbooks/${name}.md) | ${severities.join(", ")} |`;
    });
    expect(rows.filter((row) => !table.includes(`\n${row}`))).toEqual([]);
    expect(table.match(/\]\(runbooks\//g)).toHaveLength(rows.length);
  });

  it("leave no runbook behind", () => {
    const names = new Set(alerts.map(([name]) => name));
    const runbooks = projectFiles("docs/runbooks").map((path) => path.replace(/^.*\/|\.md$/g, ""));
    expect(runbooks.filter((name) => !names.has(name) && name !== "README")).toEqual([]);
  });

  it("that have one of their own are left out of the rule for all other detectors", () => {
    const rest = alerts.find(([name]) => name === "NamAnomaly")?.[1].expr ?? "";
    const own = alerts.flatMap(([, { expr }]) =>
      readExpression(expr).selectors.flatMap(({ metric, matchers }) =>
        EVENT_METRICS.includes(metric) ? (matchers.detector?.match(/^="(.*)"$/)?.[1] ?? []) : [],
      ),
    );
    for (const { matchers } of readExpression(rest).selectors) {
      expect(matchers.detector).toBe(`!~"${[...new Set(own)].sort().join("|")}"`);
    }
  });
});

describe("prometheus.yml", () => {
  const config = load(readProjectFile("prometheus/prometheus.yml")) as {
    global: Record<string, string>;
    rule_files: string[];
    scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
  };

  it("loads every rule file", () => {
    expect(config.rule_files.map((path) => `prometheus/${path}`).sort()).toEqual(ruleFiles());
  });

  it("scrapes the agent where it listens by default, in the job the rules know", () => {
    const nam = config.scrape_configs.find(({ job_name }) => job_name === "nam");
    expect(nam?.static_configs).toEqual([{ targets: ["127.0.0.1:9977"] }]);
    expect(durationSeconds(config.global.scrape_interval ?? "")).toBeLessThanOrEqual(
      LONGEST_SCRAPE_SECONDS,
    );
  });
});
