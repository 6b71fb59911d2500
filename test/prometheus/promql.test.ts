// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { durationSeconds, readExpression } from "../support/promql.ts";

describe("the PromQL reader of the contract tests", () => {
  it("finds every selector with its matchers, its range and what is around it", () => {
    const { selectors, groupingLabels } = readExpression(
      'sum by (job, instance) (rate(a_total{x="1,}",y=~"b|c"}[5m])) / on (job) group_left () max without(z) (b_ratio) > 0.5',
    );
    expect(selectors).toEqual([
      {
        metric: "a_total",
        matchers: { x: '="1,}"', y: '=~"b|c"' },
        range: "5m",
        within: ["rate", "sum"],
      },
      { metric: "b_ratio", matchers: {}, range: "", within: ["max"] },
    ]);
    expect(groupingLabels).toEqual(["job", "instance", "job", "z"]);
  });

  it("leaves operators, numbers, functions, comments and Grafana variables alone", () => {
    const { selectors } = readExpression(
      "time() - a:b:c > bool 1e3 and vector(1) # z\n or increase(d[$__rate_interval]) offset 5m unless e == Inf",
    );
    expect(selectors.map(({ metric, range }) => metric + range)).toEqual([
      "a:b:c",
      "d$__rate_interval",
      "e",
    ]);
  });

  it("reads durations", () => {
    expect(["90s", "5m", "1h30m", "1d"].map(durationSeconds)).toEqual([90, 300, 5400, 86_400]);
  });
});
