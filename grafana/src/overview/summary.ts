// SPDX-License-Identifier: AGPL-3.0-or-later
import type { PanelBuilder } from "@grafana/grafana-foundation-sdk/stat";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { BLUE, GREEN, line, ORANGE, RED, stat, steps } from "../panels.ts";
import { ofAgentJobs, rate, select } from "../select.ts";

/** Is it watching, is anything wrong, how much is there: one line on top of everything. */
export function summaryPanels(): PanelBuilder[] {
  return [
    stat(
      {
        title: "Agents up",
        description:
          "Agents that answer scrapes. Red: at least one does not, and nothing is watched there.",
        unit: units.Short,
      },
      3,
    )
      .withTarget(line(`sum ${ofAgentJobs(select("up"))}`, "up"))
      .withTarget(line(`sum ${ofAgentJobs(`1 - ${select("up")}`)}`, "down"))
      .thresholds(steps(GREEN))
      .overrideByName("down", [{ id: "thresholds", value: steps(GREEN, [1, RED]).build() }]),
    stat(
      {
        title: "Open incidents",
        description:
          "Anomalies that are open now, by severity. What they are about is in the agent's own events.",
        unit: units.Short,
      },
      6,
    )
      .withTarget(line(`sum(${select("nam_anomaly_active", 'severity="critical"')})`, "critical"))
      .withTarget(line(`sum(${select("nam_anomaly_active", 'severity="warning"')})`, "warning"))
      .withTarget(line(`sum(${select("nam_anomaly_active", 'severity="info"')})`, "info"))
      .thresholds(steps(GREEN, [1, RED]))
      .overrideByName("warning", [{ id: "thresholds", value: steps(GREEN, [1, ORANGE]).build() }])
      .overrideByName("info", [{ id: "thresholds", value: steps(GREEN, [1, BLUE]).build() }]),
    stat(
      {
        title: "Packets",
        description: "Packets processed a second, over all interfaces and directions.",
        unit: units.PacketsPerSecond,
      },
      3,
    )
      .withTarget(line(`sum(${rate("nam_capture_packets_total")})`, "packets"))
      .thresholds(steps(BLUE)),
    stat(
      {
        title: "Bytes",
        description: "Bytes on the wire a second, headers included.",
        unit: units.BytesPerSecondSI,
      },
      3,
    )
      .withTarget(line(`sum(${rate("nam_capture_bytes_total")})`, "bytes"))
      .thresholds(steps(BLUE)),
    stat(
      {
        title: "Packets lost",
        description:
          "Share of the packets that reached the capture and were not processed. Above 1 % events say degraded; above 10 % absence of an alert proves nothing.",
        unit: units.PercentUnit,
      },
      3,
    )
      .withTarget(
        line(
          `sum(${rate("nam_capture_dropped_packets_total")}) / (sum(${rate("nam_capture_received_packets_total")}) > 0)`,
          "lost",
        ),
      )
      .decimals(2)
      .noValue("0 %")
      .thresholds(steps(GREEN, [0.01, ORANGE], [0.1, RED])),
    stat(
      {
        title: "Last packet",
        description: "Time since the last packet, of the interface that has been silent longest.",
        unit: units.Seconds,
      },
      3,
    )
      .withTarget(
        line(
          `max(time() - (${select("nam_capture_last_packet_timestamp_seconds")} > 0))`,
          "silent for",
        ),
      )
      .noValue("no packet yet")
      .thresholds(steps(GREEN, [60, ORANGE], [300, RED])),
    stat(
      {
        title: "Undelivered",
        description:
          "Messages that wait for a channel. More than a handful for more than a minute: the channel is down.",
        unit: units.Short,
      },
      3,
    )
      .withTarget(line(`sum(${select("nam_outbox_depth")})`, "waiting"))
      .thresholds(steps(GREEN, [5, ORANGE], [50, RED])),
  ];
}
