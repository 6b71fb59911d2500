// SPDX-License-Identifier: AGPL-3.0-or-later
import type { PanelBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { line, stacked, timeseries } from "../panels.ts";
import { rate, select } from "../select.ts";

const NAMED = 'provider!="none"';
const NAMELESS = 'provider="none"';

/** Which providers are used, how much, by how many, and how they were recognised. */
export function providerPanels(): PanelBuilder[] {
  return [flows(), uploads(), downloads(), sources(), evidence(), nameless()];
}

function flows(): PanelBuilder {
  return stacked(
    {
      title: "Flows by provider",
      description:
        "New flows to AI providers, known by their names. A provider that was never here before is told of by ai_new_provider.",
      unit: units.OpsPerSecond,
    },
    8,
  ).withTarget(
    line(`sum by (provider) (${rate("nam_ai_flows_total", NAMED)}) > 0`, "{{provider}}"),
  );
}

function uploads(): PanelBuilder {
  return bytes(
    "Sent to providers",
    "up",
    "Bytes that clients send. Agents send more than they get, as each call repeats the conversation; a jump is what ai_upload_jump looks for.",
  );
}

function downloads(): PanelBuilder {
  return bytes("Received from providers", "down", "Bytes that the providers' servers send back.");
}

function bytes(title: string, direction: string, description: string): PanelBuilder {
  return stacked({ title, description, unit: units.BytesPerSecondSI }, 8).withTarget(
    line(
      `sum by (provider) (${rate("nam_ai_bytes_total", `direction="${direction}"`)}) > 0`,
      "{{provider}}",
    ),
  );
}

function sources(): PanelBuilder {
  return timeseries(
    {
      title: "Hosts by category",
      description:
        "Hosts that had a flow to a provider of the category within 10 minutes. chat_app is a person at a browser; llm_api, gateway and coding_agent are programs.",
      unit: units.Short,
    },
    8,
  ).withTarget(line(`sum by (category) (${select("nam_ai_active_sources")}) > 0`, "{{category}}"));
}

function evidence(): PanelBuilder {
  return stacked(
    {
      title: "Where providers' names come from",
      description:
        "sni and quic_sni: the ClientHello. http_host: a request in clear text. dns: only what the client had asked for, the weakest.",
      unit: units.OpsPerSecond,
    },
    8,
  ).withTarget(
    line(`sum by (evidence) (${rate("nam_ai_flows_total", NAMED)}) > 0`, "{{evidence}}"),
  );
}

function nameless(): PanelBuilder {
  return stacked(
    {
      title: "Flows of no provider",
      description:
        "All other flows. ech: the name is encrypted, so a provider may hide behind it; none: no name, or the capture began in the middle.",
      unit: units.OpsPerSecond,
    },
    8,
  ).withTarget(line(`sum by (evidence) (${rate("nam_ai_flows_total", NAMELESS)})`, "{{evidence}}"));
}
