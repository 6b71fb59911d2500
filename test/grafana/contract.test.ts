// SPDX-License-Identifier: AGPL-3.0-or-later
// Dashboards, rules and runbooks name metrics. Each of them must exist, with those labels and values.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { contractProblems, knownMetrics } from "../support/metric-contract.ts";
import {
  asRuleFile,
  dashboardFiles,
  documentedExpressions,
  type NamedExpression,
  namedExpressions,
} from "../support/named-metrics.ts";
import { ruleFiles } from "../support/rules.ts";
import { hasTool } from "../support/tool.ts";

const expressions = [...namedExpressions(), ...documentedExpressions()];
let known: Awaited<ReturnType<typeof knownMetrics>>;

beforeAll(async () => {
  known = await knownMetrics();
});

describe.each(byFile(expressions))("%s", (_file, all) => {
  it.each(all.map(({ title, expr }) => [title, expr]))("%s reads what exists", (_title, expr) => {
    expect(contractProblems(expr, known)).toEqual([]);
  });
});

describe("named expressions", () => {
  it("come from every dashboard and rule file, with the variables put in", () => {
    const files = new Set(namedExpressions().map(({ file }) => file));
    expect([...files].sort()).toEqual([...dashboardFiles(), ...ruleFiles()].sort());
    expect(expressions.filter(({ expr }) => expr.includes("$"))).toEqual([]);
  });

  it("say which of them may rightly return nothing", () => {
    const conditional = (title: string): boolean | undefined =>
      expressions.find((one) => one.title === title)?.conditional;
    expect(conditional("NamCaptureDown")).toBe(true);
    expect(conditional("Incidents over time")).toBe(false);
    expect(conditional("TCP handshakes by outcome")).toBe(false);
    const ofPanels = namedExpressions().filter(({ file }) => file.startsWith("grafana/"));
    expect(ofPanels.filter((one) => one.conditional)).toEqual([]);
    expect(ofPanels.some(({ expr, whole }) => expr.endsWith(" > 0") && expr !== whole)).toBe(true);
  });
});

describe("the contract", () => {
  it.each([
    ["nam_capture_pakets_total", "there is no metric nam_capture_pakets_total"],
    ['nam_capture_up{iface="x"}', "nam_capture_up has no label iface"],
    ['nam_anomaly_active{severity=~"warning|bad"}', "nam_anomaly_active: severity is never bad"],
    ["sum by (protocol) (nam_capture_up)", "no metric of the expression has label protocol"],
  ])("notices %s", (expr, problem) => {
    expect(contractProblems(expr, known)).toEqual([problem]);
  });

  it.skipIf(!hasTool("promtool", "prometheus"))("has nothing but valid PromQL", () => {
    const folder = mkdtempSync(join(tmpdir(), "nam-promql-"));
    const file = join(folder, "expressions.yml");
    writeFileSync(file, asRuleFile(expressions));
    const output = execFileSync("promtool", ["check", "rules", file], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect(output).toContain(`${expressions.length} rules found`);
  });
});

function byFile(all: readonly NamedExpression[]): [string, NamedExpression[]][] {
  const files = new Map<string, NamedExpression[]>();
  for (const one of all) files.set(one.file, [...(files.get(one.file) ?? []), one]);
  return [...files];
}
