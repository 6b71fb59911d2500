// SPDX-License-Identifier: AGPL-3.0-or-later
// What every dashboard has: variables, links, marks of events, and panels in reading order.
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  RowBuilder,
  type VariableModel,
} from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import { line, ORANGE, RED } from "./panels.ts";
import { increase, select } from "./select.ts";
import { datasource, datasourceVariable, instanceVariable, jobVariable } from "./variables.ts";

/** What one dashboard has to itself. */
export interface Outline {
  readonly title: string;
  readonly uid: string;
  readonly description: string;
  /** Beside `nam`. */
  readonly tags: readonly string[];
  /** Beside the data source, the job and the instance. */
  readonly variables?: readonly Builder<VariableModel>[];
  /** Matchers of the events that are marked in every graph; all of them without. */
  readonly events?: readonly string[];
}

/** Panels under one heading. */
export interface Section {
  /** "" for the panels above the first row. */
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
}

/** A dashboard in the house style. */
export function build(outline: Outline, sections: readonly Section[]): Dashboard {
  const dashboard = new DashboardBuilder(outline.title)
    .uid(outline.uid)
    .description(outline.description)
    .tags(["nam", ...outline.tags])
    .readonly()
    .refresh("10s")
    .time({ from: "now-1h", to: "now" })
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    .variables([
      datasourceVariable(),
      jobVariable(),
      instanceVariable(),
      ...(outline.variables ?? []),
    ])
    .link(
      new DashboardLinkBuilder("Network anomaly monitor")
        .type(DashboardLinkType.Dashboards)
        .tags(["nam"])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .annotation(eventAnnotation(outline.events ?? []))
    .annotation(alertAnnotation());
  return place(dashboard, sections);
}

/** Lays the panels out in reading order, and numbers panels and queries so that links to them stay good. */
function place(builder: DashboardBuilder, sections: readonly Section[]): Dashboard {
  for (const { title, panels } of sections) {
    if (title !== "") builder.withRow(new RowBuilder(title));
    for (const panel of panels) builder.withPanel(panel);
  }
  const dashboard = builder.build();
  for (const [index, panel] of (dashboard.panels ?? []).entries()) {
    panel.id = index + 1;
    // Every query here is made by panels.ts, so it is Prometheus'.
    const targets = (("targets" in panel && panel.targets) || []) as Dataquery[];
    for (const [at, target] of targets.entries()) target.refId ??= String.fromCharCode(65 + at);
  }
  return dashboard;
}

/** A mark in every graph where the agent raised a warning or a critical event. */
function eventAnnotation(matchers: readonly string[]): AnnotationQueryBuilder {
  const events = increase("nam_anomaly_events_total", 'severity=~"warning|critical"', ...matchers);
  return new AnnotationQueryBuilder()
    .name("Events")
    .datasource(datasource)
    .enable(true)
    .iconColor(RED)
    .target(line(`sum by (instance, detector, severity) (${events}) > 0`, "").refId("Events"))
    .expr(`sum by (instance, detector, severity) (${events}) > 0`)
    .titleFormat("{{detector}}")
    .textFormat("{{severity}}, seen by {{instance}}")
    .tagKeys("severity");
}

/** The alerts that Prometheus itself raises, the agent's health among them; off until somebody asks. */
function alertAnnotation(): AnnotationQueryBuilder {
  const alerts = select(
    "ALERTS",
    'alertname=~"Nam.+"',
    'alertstate="firing"',
    'severity=~"warning|critical"',
  );
  return new AnnotationQueryBuilder()
    .name("Prometheus alerts")
    .datasource(datasource)
    .enable(false)
    .iconColor(ORANGE)
    .target(line(alerts, "").refId("Alerts"))
    .expr(alerts)
    .titleFormat("{{alertname}}")
    .textFormat("{{severity}}, {{instance}}")
    .tagKeys("severity");
}
