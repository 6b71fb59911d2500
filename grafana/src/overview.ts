// SPDX-License-Identifier: AGPL-3.0-or-later
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
} from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import { anomalyPanels } from "./overview/anomalies.ts";
import { baselinePanels } from "./overview/baselines.ts";
import { deliveryPanels } from "./overview/delivery.ts";
import { healthPanels } from "./overview/health.ts";
import { hostPanels } from "./overview/host.ts";
import { protocolPanels } from "./overview/protocols.ts";
import { summaryPanels } from "./overview/summary.ts";
import { trafficPanels } from "./overview/traffic.ts";
import { line, ORANGE, RED } from "./panels.ts";
import { increase, select } from "./select.ts";
import {
  baselineVariable,
  datasource,
  datasourceVariable,
  instanceVariable,
  jobVariable,
  signalVariable,
} from "./variables.ts";

/** The one dashboard that answers: is anything wrong, what does the traffic look like, can I believe it. */
export function overview(): Dashboard {
  const dashboard = new DashboardBuilder("Network anomaly monitor / Overview")
    .uid("nam-overview")
    .description(
      "Traffic by protocol, baselines and z-scores, open incidents, the host, alert delivery, and the health of the monitor itself.",
    )
    .tags(["nam", "network"])
    .readonly()
    .refresh("10s")
    .time({ from: "now-1h", to: "now" })
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    .variables([
      datasourceVariable(),
      jobVariable(),
      instanceVariable(),
      signalVariable(),
      baselineVariable(),
    ])
    .link(
      new DashboardLinkBuilder("Network anomaly monitor")
        .type(DashboardLinkType.Dashboards)
        .tags(["nam"])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .annotation(eventAnnotation())
    .annotation(alertAnnotation());
  return place(dashboard, [
    { title: "", panels: summaryPanels() },
    { title: "Anomalies", panels: anomalyPanels() },
    { title: "Traffic", panels: trafficPanels() },
    { title: "Baselines and z-scores", panels: baselinePanels() },
    { title: "Protocols", panels: protocolPanels() },
    { title: "Host", panels: hostPanels() },
    { title: "Alert delivery", panels: deliveryPanels() },
    { title: "Health of the monitor", panels: healthPanels() },
  ]);
}

interface Section {
  /** "" for the panels above the first row. */
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
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
function eventAnnotation(): AnnotationQueryBuilder {
  const events = increase("nam_anomaly_events_total", 'severity=~"warning|critical"');
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
