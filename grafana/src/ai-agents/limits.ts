// SPDX-License-Identifier: AGPL-3.0-or-later
import { BigValueTextMode } from "@grafana/grafana-foundation-sdk/common";
import type { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import type { PanelBuilder as TimeSeriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { BLUE, GREEN, line, now, ORANGE, stat, steps, timeseries } from "../panels.ts";
import { rate, select } from "../select.ts";

/** What is not seen, and what had no room: where these are above zero, the numbers above are lower bounds. */
export function limitPanels(): (StatBuilder | TimeSeriesBuilder)[] {
  return [watched(), noRoom(), gaps(), transports(), table(), saturated()];
}

function watched(): TimeSeriesBuilder {
  return timeseries(
    {
      title: "Connections watched for calls",
      description:
        "Connections whose calls are counted now, those in TLS and QUIC and those to models in clear text, of 8,192 at most at one sensor. Those that show a download are let go.",
      unit: units.Short,
    },
    8,
  )
    .min(0)
    .withTarget(line(`sum by (instance) (${select("nam_ai_watched_flows")})`, "{{instance}}"));
}

function noRoom(): TimeSeriesBuilder {
  return timeseries(
    {
      title: "What had to make room",
      description:
        "Watched connections, DNS answers that name flows, and flows whose bytes are counted, that were forgotten for others.",
      unit: units.OpsPerSecond,
    },
    8,
  )
    .min(0)
    .withTarget(line(`sum(${rate("nam_ai_watch_evictions_total")})`, "watched connections"))
    .withTarget(line(`sum by (kind) (${rate("nam_ai_evictions_total")})`, "{{kind}}"));
}

function gaps(): TimeSeriesBuilder {
  return timeseries(
    {
      title: "Gaps in watched connections",
      description:
        "Losses that hid where TLS records begin. given_up: the connection is no longer watched. Lost packets at the capture are the usual cause.",
      unit: units.OpsPerSecond,
    },
    8,
  )
    .min(0)
    .withTarget(line(`sum by (outcome) (${rate("nam_ai_stream_gaps_total")})`, "{{outcome}}"));
}

function transports(): TimeSeriesBuilder {
  return timeseries(
    {
      title: "Calls by transport",
      description:
        "tls_h1 and plain are exact. Calls of tls_other (HTTP/2) and quic that go side by side in one connection count as one.",
      unit: units.RequestsPerSecond,
    },
    12,
  )
    .height(4)
    .min(0)
    .withTarget(line(`sum by (transport) (${rate("nam_ai_calls_total")}) > 0`, "{{transport}}"));
}

function table(): StatBuilder {
  return stat(
    {
      title: "Table of providers",
      description:
        "Day on which the built-in table of providers was last checked. Providers that are newer are nobody's until you add them under ai.providers.",
      unit: units.Short,
    },
    6,
  )
    .withTarget(now(`count by (version) (${select("nam_ai_table_info")})`, "{{version}}"))
    .textMode(BigValueTextMode.Name)
    .thresholds(steps(BLUE));
}

function saturated(): StatBuilder {
  return stat(
    {
      title: "Hosts not counted",
      description:
        "Above 0 there are more hosts with AI traffic than can be counted, 4,096 over all categories; the numbers of hosts are then lower bounds.",
      unit: units.Short,
    },
    6,
  )
    .withTarget(line(`max(${select("nam_ai_sources_saturated")})`, "saturated"))
    .thresholds(steps(GREEN, [1, ORANGE]));
}
