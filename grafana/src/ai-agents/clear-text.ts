// SPDX-License-Identifier: AGPL-3.0-or-later
import type { PanelBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { line, stacked, timeseries } from "../panels.ts";
import { increase, rate, select } from "../select.ts";

const MESSAGES = "nam_agent_protocol_messages_total";

/** Agents, tool servers and models without TLS, whose messages can be read and are counted by kind. */
export function clearTextPanels(): PanelBuilder[] {
  return [protocols(), kinds(), errors(), openServers(), mismatches()];
}

function protocols(): PanelBuilder {
  return stacked(
    {
      title: "Messages by protocol",
      description:
        "MCP in its three forms, A2A, ACP, and the APIs of models in clear text. Over the network all of it belongs behind TLS.",
      unit: units.MessagesPerSecond,
    },
    8,
  ).withTarget(line(`sum by (protocol) (${rate(MESSAGES)}) > 0`, "{{protocol}}"));
}

function kinds(): PanelBuilder {
  return stacked(
    {
      title: "Messages by kind",
      description:
        "What was asked for: call is a tool, a prompt or a model at work; list is a client that looks around.",
      unit: units.MessagesPerSecond,
    },
    8,
  ).withTarget(line(`sum by (kind) (${rate(MESSAGES)}) > 0`, "{{kind}}"));
}

function errors(): PanelBuilder {
  return timeseries(
    {
      title: "Errors by protocol",
      description:
        "Errors that servers answered with. An agent that repeats what fails burns calls without getting anywhere.",
      unit: units.MessagesPerSecond,
    },
    8,
  )
    .min(0)
    .withTarget(line(`sum by (protocol) (${rate(MESSAGES, 'kind="error"')}) > 0`, "{{protocol}}"));
}

function openServers(): PanelBuilder {
  return timeseries(
    {
      title: "Servers without a password by protocol",
      description:
        "Own servers that served somebody without a key, a password or a cookie within an hour, by the farthest from where they did.",
      unit: units.Short,
    },
    12,
  )
    .min(0)
    .withTarget(
      line(
        `sum by (protocol, exposure) (${select("nam_agent_server_unauthenticated")}) > 0`,
        "{{protocol}}, {{exposure}}",
      ),
    );
}

function mismatches(): PanelBuilder {
  return timeseries(
    {
      title: "MCP headers that lie",
      description:
        "Requests whose Mcp-Method or Mcp-Name header says something else than their body, in each interval: a filter that reads the header is deceived.",
      unit: units.Short,
    },
    12,
  )
    .min(0)
    .withTarget(
      line(`sum by (instance) (${increase("nam_agent_header_mismatches_total")})`, "{{instance}}"),
    );
}
