// SPDX-License-Identifier: AGPL-3.0-or-later
import {
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  VisibilityMode,
  VizLegendOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  DashboardLinkBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type ValueMap,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as StateTimelineBuilder } from "@grafana/grafana-foundation-sdk/statetimeline";
import type { PanelBuilder as TimeSeriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { BLUE, GREEN, line, lineWithExemplars, ORANGE, RED, stacked, steps } from "../panels.ts";
import { increase, select } from "../select.ts";
import { datasource } from "../variables.ts";

/** What is open, since when, and how much there has been; `matchers` choose detectors. */
export function anomalyPanels(
  ...matchers: readonly string[]
): (StateTimelineBuilder | TimeSeriesBuilder)[] {
  return [openIncidents(matchers), eventsByDetector(matchers)];
}

function openIncidents(matchers: readonly string[]): StateTimelineBuilder {
  return new StateTimelineBuilder()
    .title("Incidents over time")
    .description(
      "Highest severity of the open incidents of each detector. A gap in a bar is a scrape that was missed, not the end of an incident.",
    )
    .unit(units.Short)
    .datasource(datasource)
    .height(9)
    .span(14)
    .withTarget(
      line(
        `max by (instance, detector) (${severityLevels(matchers)})`,
        "{{instance}} {{detector}}",
      ),
    )
    .mappings([severityNames()])
    .thresholds(steps(GREEN, [1, BLUE], [2, ORANGE], [3, RED]))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .dataLinks([eventsLink()])
    .mergeValues(true)
    .showValue(VisibilityMode.Never)
    .rowHeight(0.85)
    .fillOpacity(80)
    .lineWidth(0)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    );
}

/** 0 for a detector that is quiet, 1 to 3 for the severity of what it has open. */
function severityLevels(matchers: readonly string[]): string {
  const level = (severity: string, value: number): string =>
    `${value} * (${select("nam_anomaly_active", `severity="${severity}"`, ...matchers)} > bool 0)`;
  return [level("info", 1), level("warning", 2), level("critical", 3)].join(" or ");
}

function severityNames(): ValueMap {
  return {
    type: MappingType.ValueToText,
    options: {
      "0": { text: "quiet", color: GREEN, index: 0 },
      "1": { text: "info", color: BLUE, index: 1 },
      "2": { text: "warning", color: ORANGE, index: 2 },
      "3": { text: "critical", color: RED, index: 3 },
    },
  };
}

function eventsByDetector(matchers: readonly string[]): TimeSeriesBuilder {
  return stacked(
    {
      title: "Events by detector",
      description:
        "Events raised in each interval. The diamonds are exemplars: hover for the event id, and look it up under /api/v1/events of the agent.",
      unit: units.Short,
    },
    10,
  )
    .height(9)
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(80)
    .withTarget(
      lineWithExemplars(
        `sum by (instance, detector, severity) (${increase("nam_anomaly_events_total", ...matchers)}) > 0`,
        "{{instance}} {{detector}} {{severity}}",
      ),
    )
    .dataLinks([eventsLink()]);
}

/** From a bar to the events behind it, with addresses and evidence, at the agent itself. */
function eventsLink(): DashboardLinkBuilder {
  return (
    new DashboardLinkBuilder("Events of this detector")
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholders are Grafana's
      .url("http://${__field.labels.instance}/api/v1/events?detector=${__field.labels.detector}")
      .targetBlank(true)
  );
}
