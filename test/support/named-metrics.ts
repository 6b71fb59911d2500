// SPDX-License-Identifier: AGPL-3.0-or-later
import { projectFiles, readProjectFile } from "./project.ts";
import { readExpression } from "./promql.ts";
import { alertRules, recordingRules } from "./rules.ts";

/** An expression of a dashboard or a rule, ready to be sent to a Prometheus. */
export interface NamedExpression {
  /** Relative to the project. */
  readonly file: string;
  /** Panel, variable, annotation, alert or record that it belongs to. */
  readonly title: string;
  readonly expr: string;
  /** What must return data: the expression without `> 0`, where that is how a panel leaves out what is idle or nought. */
  readonly whole: string;
  /** Metrics it reads; those with a colon are made by the recording rules. */
  readonly metrics: readonly string[];
  /** True where the whole compares, so that it may rightly return nothing; its metrics must exist all the same. */
  readonly conditional: boolean;
}

interface Query {
  readonly expr?: string;
  readonly query?: string;
}

/** The parts of a dashboard that hold queries. */
interface DashboardJson {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly Query[] }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query?: Query | string }[];
  };
  readonly annotations: {
    readonly list: readonly { readonly name: string; readonly target?: Query }[];
  };
}

/** What the dashboards' variables stand for where nobody chose anything. */
const VARIABLES: Readonly<Record<string, string>> = {
  __rate_interval: "1m",
  __interval: "15s",
  __range: "5m",
  job: ".+",
  instance: ".+",
  signal: "transport_tcp_packets",
  baseline: "rolling",
};

/** Every expression under grafana/ and prometheus/, with Grafana's variables put in. */
export function namedExpressions(): NamedExpression[] {
  return [...dashboardExpressions(), ...ruleExpressions()];
}

/** Paths of the generated dashboards, relative to the project. */
export function dashboardFiles(): string[] {
  return projectFiles("grafana/dashboards").filter((path) => path.endsWith(".json"));
}

/** A PromQL expression with Grafana's variables put in; throws on one it does not know. */
export function substitute(expr: string): string {
  return expr.replaceAll(/\$\{?(\w+)\}?/g, (_match, name: string) => {
    const value = VARIABLES[name];
    if (value === undefined) throw new Error(`variable $${name} has no value for tests`);
    return value;
  });
}

function dashboardExpressions(): NamedExpression[] {
  return dashboardFiles().flatMap((file) => {
    const { panels, templating, annotations } = JSON.parse(readProjectFile(file)) as DashboardJson;
    const queries = [
      ...panels.flatMap(({ title, targets = [] }) =>
        targets.map(({ expr = "" }) => ({ title, expr })),
      ),
      ...annotations.list.map(({ name, target }) => ({
        title: `annotation ${name}`,
        expr: target?.expr ?? "",
      })),
      ...templating.list.flatMap(({ name, query }) => {
        const text = typeof query === "object" ? query.query : undefined;
        const selector = text && /^label_values\((.*), \w+\)$/.exec(text)?.[1];
        return selector ? [{ title: `variable ${name}`, expr: selector }] : [];
      }),
    ];
    return queries.map(({ title, expr }) => named(file, title, substitute(expr)));
  });
}

function ruleExpressions(): NamedExpression[] {
  return [
    ...recordingRules().map(({ file, record, expr }) => named(file, record, expr)),
    ...alertRules().map(({ file, alert, expr }) => named(file, alert, expr)),
  ];
}

/** Every expression in a `promql` block of a document; a block holds one to a line. */
export function documentedExpressions(): NamedExpression[] {
  return projectFiles("docs")
    .filter((path) => path.endsWith(".md"))
    .flatMap((file) =>
      [...readProjectFile(file).matchAll(/^```promql\n([\s\S]*?)^```/gm)].flatMap(
        ([, block = ""]) =>
          block
            .trimEnd()
            .split("\n")
            .map((expr) => named(file, expr, expr)),
      ),
    );
}

/** All expressions as one rule file, which is how promtool checks that they can be parsed. */
export function asRuleFile(expressions: readonly NamedExpression[]): string {
  const rules = expressions.map(({ expr }, at) => ({ record: `checked:expression:${at}`, expr }));
  return JSON.stringify({ groups: [{ name: "checked", rules }] });
}

function named(file: string, title: string, expr: string): NamedExpression {
  const metrics = new Set(readExpression(expr).selectors.map(({ metric }) => metric));
  const whole = file.startsWith("grafana/") ? expr.replaceAll(/ > 0(?=\)|$)/g, "") : expr;
  const conditional = /([<>]=?|==)(?!\s*bool)/.test(whole.replaceAll(/"[^"]*"/g, ""));
  return { file, title, expr, whole, metrics: [...metrics], conditional };
}
