// SPDX-License-Identifier: AGPL-3.0-or-later
import type { PanelBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import {
  dashedThresholds,
  GREEN,
  line,
  ORANGE,
  RED,
  stacked,
  steps,
  timeseries,
} from "../panels.ts";
import { increase, ofAgents, rate, select } from "../select.ts";

/** Can the numbers above be believed: loss, delay, restarts, and what the agent itself costs. */
export function healthPanels(): PanelBuilder[] {
  return [lost(), capture(), delay(), restarts(), memory(), scrape()];
}

function lost(): PanelBuilder {
  return stacked(
    {
      title: "Packets lost by stage",
      description:
        "Packets that reached the capture and were not processed: by the kernel, because the ring was full, shed on purpose under overload, or between the processes.",
      unit: units.PacketsPerSecond,
    },
    8,
  ).withTarget(
    line(
      `sum by (instance, interface, stage) (${rate("nam_capture_dropped_packets_total")})`,
      "{{instance}} {{interface}} {{stage}}",
    ),
  );
}

function capture(): PanelBuilder {
  return timeseries(
    {
      title: "Capture ring",
      description: "Share of the capture ring that waits to be read. At 100 % packets are lost.",
      unit: units.PercentUnit,
    },
    8,
  )
    .min(0)
    .max(1)
    .thresholds(steps(GREEN, [0.8, RED]))
    .thresholdsStyle(dashedThresholds())
    .withTarget(
      line(
        `max by (instance, interface) (${select("nam_capture_ring_fill_ratio")})`,
        "{{instance}} {{interface}}",
      ),
    );
}

function delay(): PanelBuilder {
  return timeseries(
    {
      title: "Delay",
      description:
        "How late packets are processed after their own time, and how long the monitor's event loop makes its work wait (99th percentile). Both delay every alert.",
      unit: units.Seconds,
    },
    8,
  )
    .min(0)
    .thresholds(steps(GREEN, [0.5, ORANGE]))
    .thresholdsStyle(dashedThresholds())
    .withTarget(
      line(`max by (instance) (${select("nam_packet_lag_seconds")})`, "{{instance}} packets"),
    )
    .withTarget(
      line(
        `max by (instance) ${ofAgents(select("nodejs_eventloop_lag_p99_seconds"))}`,
        "{{instance}} event loop",
      ),
    );
}

function restarts(): PanelBuilder {
  return timeseries(
    {
      title: "Interruptions",
      description:
        "Sensor processes that died and were started again, and windows of traffic that were read too late and merged.",
      unit: units.Short,
    },
    8,
  )
    .min(0)
    .withTarget(
      line(
        `sum by (instance) (${increase("nam_sensor_restarts_total")})`,
        "{{instance}} sensor restarts",
      ),
    )
    .withTarget(
      line(`sum by (instance) (${increase("nam_window_late_total")})`, "{{instance}} late windows"),
    );
}

function memory(): PanelBuilder {
  return timeseries(
    {
      title: "Memory and CPU of the monitor process",
      description:
        "Resident memory of the monitor process (left), and the share of one core it uses (right). The sensor is a process of its own.",
      unit: units.BytesIEC,
    },
    8,
  )
    .min(0)
    .withTarget(
      line(
        `max by (instance) ${ofAgents(select("process_resident_memory_bytes"))}`,
        "{{instance}} memory",
      ),
    )
    .withTarget(
      line(`max by (instance) ${ofAgents(rate("process_cpu_seconds_total"))}`, "{{instance}} CPU"),
    )
    .overrideByRegexp("/ CPU$/", [
      { id: "unit", value: units.PercentUnit },
      { id: "custom.axisPlacement", value: "right" },
    ]);
}

function scrape(): PanelBuilder {
  return timeseries(
    {
      title: "Scrapes and series",
      description:
        "How long a scrape takes (left) and how many series it brings (right). The number of series does not depend on the traffic.",
      unit: units.Seconds,
    },
    8,
  )
    .min(0)
    .withTarget(
      line(
        `max by (instance) ${ofAgents(select("scrape_duration_seconds"))}`,
        "{{instance}} scrape",
      ),
    )
    .withTarget(line(`max by (instance) (${select("nam_series")})`, "{{instance}} series"))
    .overrideByRegexp("/ series$/", [
      { id: "unit", value: units.Short },
      { id: "custom.axisPlacement", value: "right" },
    ]);
}
