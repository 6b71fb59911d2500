// SPDX-License-Identifier: AGPL-3.0-or-later
// The house style of the panels, in one place.
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  FieldColorBuilder,
  FieldColorModeId,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeSeriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import { datasource } from "./variables.ts";

export const GREEN = "green";
export const BLUE = "blue";
export const YELLOW = "yellow";
export const ORANGE = "orange";
export const RED = "red";

/** What a panel shows and why anybody would look at it. */
export interface Heading {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
}

/** One line of a panel for every series that `expression` returns. */
export function line(expression: string, legend: string): DataqueryBuilder {
  return new DataqueryBuilder().expr(expression).legendFormat(legend).range();
}

/** The same, with the exemplars Prometheus keeps of the counter. */
export function lineWithExemplars(expression: string, legend: string): DataqueryBuilder {
  return line(expression, legend).exemplar(true);
}

/** The value now. */
export function now(expression: string, legend: string): DataqueryBuilder {
  return new DataqueryBuilder().expr(expression).legendFormat(legend).instant();
}

/** One column of a table: the value now, rows made by its labels. */
export function column(expression: string, refId: string): DataqueryBuilder {
  return new DataqueryBuilder()
    .expr(expression)
    .refId(refId)
    .instant()
    .format(PromQueryFormat.Table);
}

/** Colours by value: the first colour from the lowest value on, each further one from its own value on. */
export function steps(
  first: string,
  ...further: readonly (readonly [value: number, color: string])[]
): ThresholdsConfigBuilder {
  const all: Threshold[] = [
    { value: null, color: first },
    ...further.map(([value, color]) => ({ value, color })),
  ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(all);
}

/** A number with a sparkline, coloured by its thresholds. */
export function stat(heading: Heading, width: number): StatBuilder {
  return new StatBuilder()
    .title(heading.title)
    .description(heading.description)
    .unit(heading.unit)
    .datasource(datasource)
    .height(4)
    .span(width)
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds));
}

/** Lines over time, with a legend that can be read as a table of last and highest values. */
export function timeseries(heading: Heading, width: number): TimeSeriesBuilder {
  return new TimeSeriesBuilder()
    .title(heading.title)
    .description(heading.description)
    .unit(heading.unit)
    .datasource(datasource)
    .height(8)
    .span(width)
    .lineWidth(1)
    .fillOpacity(10)
    .showPoints(VisibilityMode.Never)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(["lastNotNull", "max"])
        .sortBy("Last *")
        .sortDesc(true),
    )
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    );
}

/** Parts that add up to a whole. */
export function stacked(heading: Heading, width: number): TimeSeriesBuilder {
  return timeseries(heading, width)
    .fillOpacity(40)
    .lineWidth(0)
    .min(0)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group("A"));
}

/** Draws the thresholds of a panel as dashed lines. */
export function dashedThresholds(): GraphThresholdsStyleConfigBuilder {
  return new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed);
}

export function table(heading: Heading, width: number): TableBuilder {
  return new TableBuilder()
    .title(heading.title)
    .description(heading.description)
    .unit(heading.unit)
    .datasource(datasource)
    .height(8)
    .span(width)
    .filterable(true);
}
