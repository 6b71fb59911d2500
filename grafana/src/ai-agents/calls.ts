// SPDX-License-Identifier: AGPL-3.0-or-later
import type { PanelBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { line, stacked, timeseries } from "../panels.ts";
import { rate, select } from "../select.ts";

/** What calls to models look like from outside: how many, how long, how much, and whether they stream. */
export function callPanels(): PanelBuilder[] {
  return [calls(), firstByte(), duration(), upload(), streams(), loops()];
}

function calls(): PanelBuilder {
  return stacked(
    {
      title: "Calls by provider",
      description:
        "Requests with their replies. A provider that grows at night, or on one agent alone, is a program that does not end its work. none: calls in clear text to hosts that are no known provider's, and token streams over TLS and QUIC from such hosts.",
      unit: units.RequestsPerSecond,
    },
    8,
  ).withTarget(line(`sum by (provider) (${rate("nam_ai_calls_total")}) > 0`, "{{provider}}"));
}

function firstByte(): PanelBuilder {
  return quantiles(
    "Time to the first byte",
    "nam_ai_call_ttft_seconds_bucket",
    units.Seconds,
    "From the first byte of the request to the first of the reply, in clear text of its body. Rises when a provider is overloaded, and with the length of prompts.",
  );
}

function duration(): PanelBuilder {
  return quantiles(
    "Duration of calls",
    "nam_ai_call_duration_seconds_bucket",
    units.Seconds,
    "From the first byte of the request to the last of the reply.",
  );
}

function upload(): PanelBuilder {
  return quantiles(
    "Upload of a call",
    "nam_ai_call_upload_bytes_bucket",
    units.BytesSI,
    "Bytes sent with one call. An agent's grow as its conversation does; an upload of megabytes is a file.",
  );
}

function quantiles(title: string, bucket: string, unit: string, description: string): PanelBuilder {
  const quantile = (share: number): string =>
    `histogram_quantile(${share}, sum by (category, le) (${rate(bucket)}))`;
  return timeseries({ title, description, unit }, 8)
    .min(0)
    .withTarget(line(quantile(0.5), "{{category}} median"))
    .withTarget(line(quantile(0.9), "{{category}} 90th percentile"));
}

function streams(): PanelBuilder {
  return stacked(
    {
      title: "Token streams",
      description:
        "Replies with the shape of a token stream: many small records at a steady pace. A server that writes several events at once is not seen as one. known=no: no known provider's name; those in clear text are among the messages by kind.",
      unit: units.RequestsPerSecond,
    },
    8,
  ).withTarget(
    line(
      `sum by (category, known) (${rate("nam_ai_stream_episodes_total")}) > 0`,
      "{{category}}, known={{known}}",
    ),
  );
}

function loops(): PanelBuilder {
  return timeseries(
    {
      title: "Agents' loops",
      description:
        "Hosts whose calls to one provider grow in four of five steps, at each monitor. One that stays up for hours deserves a look.",
      unit: units.Short,
    },
    8,
  )
    .min(0)
    .withTarget(line(`max by (instance) (${select("nam_ai_agent_loops_active")})`, "{{instance}}"));
}
