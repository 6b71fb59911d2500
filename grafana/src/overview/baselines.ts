// SPDX-License-Identifier: AGPL-3.0-or-later
import {
  LineStyleBuilder,
  TableSortByFieldStateBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import type { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import type { PanelBuilder as TimeSeriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import {
  BLUE,
  column,
  dashedThresholds,
  GREEN,
  line,
  ORANGE,
  RED,
  steps,
  table,
  timeseries,
  YELLOW,
} from "../panels.ts";
import { select } from "../select.ts";

const BASELINE = 'baseline="$baseline"';

/** What is normal, what is now, and how far apart they are. */
export function baselinePanels(): (TimeSeriesBuilder | TableBuilder)[] {
  return [zScores(), band(), signalTable()];
}

function zScores(): TimeSeriesBuilder {
  return (
    timeseries(
      {
        title: "Z-scores",
        description:
          "How many standard deviations signals are away from their baselines: the twelve that went highest and the six that went lowest in the time shown. Lines at ±3 and ±6: normal traffic crosses 3 often, so a crossing alone is not an event.",
        unit: units.Short,
      },
      12,
    )
      .withTarget(line(farthest(), "{{instance}} {{signal}}"))
      .fillOpacity(0)
      .decimals(1)
      .axisSoftMin(-7)
      .axisSoftMax(7)
      .axisCenteredZero(true)
      // Only the lines are drawn, each in the colour of its own step.
      .thresholds(steps(RED, [-6, RED], [-3, YELLOW], [3, YELLOW], [6, RED]))
      .thresholdsStyle(dashedThresholds())
  );
}

/** The signals that went farthest from normal in the time shown, so that the graph can be read. */
function farthest(): string {
  const scores = select("nam_signal_zscore", BASELINE);
  const over = `${scores}[$__range] @ end()`;
  return `${scores} and on (job, instance, signal) (topk(12, max_over_time(${over})) or bottomk(6, min_over_time(${over})))`;
}

function band(): TimeSeriesBuilder {
  const signal = 'signal="$signal"';
  const mean = `sum(${select("nam_baseline_mean", signal, BASELINE)})`;
  const spread = `sqrt(sum(${select("nam_baseline_stddev", signal, BASELINE)} ^ 2))`;
  const faint = [
    { id: "color", value: { mode: "fixed", fixedColor: BLUE } },
    { id: "custom.lineWidth", value: 0 },
    { id: "custom.hideFrom", value: { legend: true, tooltip: false, viz: false } },
  ];
  return timeseries(
    {
      title: "Signal and baseline: $signal",
      description:
        "The chosen signal, the mean of its baseline, and the band of three standard deviations around it. With several agents chosen, the sum over them.",
      unit: units.Short,
    },
    12,
  )
    .withTarget(line(`sum(${select("nam_signal_value", signal)})`, "now"))
    .withTarget(line(mean, "mean"))
    .withTarget(line(`${mean} + 3 * ${spread}`, "mean + 3σ"))
    .withTarget(line(`clamp_min(${mean} - 3 * ${spread}, 0)`, "mean − 3σ"))
    .fillOpacity(0)
    .overrideByName("now", [
      { id: "color", value: { mode: "fixed", fixedColor: ORANGE } },
      { id: "custom.lineWidth", value: 2 },
    ])
    .overrideByName("mean", [
      { id: "color", value: { mode: "fixed", fixedColor: BLUE } },
      {
        id: "custom.lineStyle",
        value: new LineStyleBuilder().fill("dash").dash([8, 6]).build(),
      },
    ])
    .overrideByName("mean + 3σ", [
      ...faint,
      { id: "custom.fillBelowTo", value: "mean − 3σ" },
      { id: "custom.fillOpacity", value: 15 },
    ])
    .overrideByName("mean − 3σ", faint);
}

function signalTable(): TableBuilder {
  const columns = [
    { refId: "value", metric: "nam_signal_value", name: "Now", matchers: [] },
    ...["mean", "stddev"].map((statistic) => ({
      refId: statistic,
      metric: `nam_baseline_${statistic}`,
      name: statistic === "mean" ? "Mean" : "Std. deviation",
      matchers: [BASELINE],
    })),
    { refId: "z", metric: "nam_signal_zscore", name: "Z-score", matchers: [BASELINE] },
    { refId: "ready", metric: "nam_baseline_ready", name: "Ready", matchers: [BASELINE] },
  ];
  const panel = table(
    {
      title: "Signals now",
      description:
        "Every signal with its baseline, farthest from normal first. A signal whose baseline is not ready is still learning and raises nothing.",
      unit: units.Short,
    },
    24,
  )
    .decimals(2)
    .withTransformation({ id: "merge", options: {} })
    .withTransformation({
      id: "organize",
      options: {
        excludeByName: { Time: true },
        renameByName: {
          instance: "Agent",
          signal: "Signal",
          ...Object.fromEntries(columns.map(({ refId, name }) => [`Value #${refId}`, name])),
        },
      },
    })
    .sortBy([new TableSortByFieldStateBuilder().displayName("Z-score").desc(true)])
    .overrideByName("Z-score", [
      {
        id: "thresholds",
        value: steps(RED, [-6, YELLOW], [-3, GREEN], [3, YELLOW], [6, RED]).build(),
      },
      { id: "custom.cellOptions", value: { type: "color-text" } },
    ])
    .overrideByName("Ready", [
      {
        id: "mappings",
        value: [
          {
            type: "value",
            options: {
              "0": { text: "learning", color: YELLOW, index: 0 },
              "1": { text: "ready", color: GREEN, index: 1 },
            },
          },
        ],
      },
      { id: "custom.cellOptions", value: { type: "color-text" } },
    ]);
  for (const { refId, metric, matchers } of columns) {
    panel.withTarget(column(`max by (instance, signal) (${select(metric, ...matchers)})`, refId));
  }
  return panel;
}
