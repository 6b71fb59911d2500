// SPDX-License-Identifier: AGPL-3.0-or-later
import type { PanelBuilder } from "@grafana/grafana-foundation-sdk/stat";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { BLUE, GREEN, line, ORANGE, RED, stat, steps } from "../panels.ts";
import { rate, select } from "../select.ts";

/** Chooses the detectors of AI traffic. */
export const AI_DETECTORS = 'detector=~"ai_.+|metadata_access"';

/** Categories behind which a model is, and not a tool or a page about one. */
const MODELS = 'category=~"llm_api|chat_app|coding_agent|gateway"';

/** How much of it there is, and whether anything is wrong: one line on top of everything. */
export function aiSummaryPanels(): PanelBuilder[] {
  return [users(), loops(), calls(), streams(), incidents(), openServers()];
}

function users(): PanelBuilder {
  return stat(
    {
      title: "Hosts that use models",
      description:
        "Hosts with a flow to a model's API, chat, coding agent or gateway within 10 minutes. A host counts once in each category.",
      unit: units.Short,
    },
    4,
  )
    .withTarget(line(`sum(${select("nam_ai_active_sources", MODELS)})`, "hosts"))
    .thresholds(steps(BLUE));
}

function loops(): PanelBuilder {
  return stat(
    {
      title: "Agents in a loop",
      description:
        "Hosts whose uploads to one provider grow from call to call, as those of an agent at work do. Not an alarm; an agent that should have ended long ago is one.",
      unit: units.Short,
    },
    4,
  )
    .withTarget(line(`sum(${select("nam_ai_agent_loops_active")})`, "agents"))
    .thresholds(steps(BLUE));
}

function calls(): PanelBuilder {
  return stat(
    {
      title: "Calls",
      description:
        "Calls to models and tools a second. Those that share an HTTP/2 or QUIC connection at one time count as one.",
      unit: units.RequestsPerSecond,
    },
    4,
  )
    .withTarget(line(`sum(${rate("nam_ai_calls_total")})`, "calls"))
    .noValue("none yet")
    .decimals(2)
    .thresholds(steps(BLUE));
}

function streams(): PanelBuilder {
  return stat(
    {
      title: "Streams from unknown hosts",
      description:
        "Replies over TLS and QUIC with the shape of a token stream, a second, from servers whose name is no known provider's. A detector tells of the third from one server.",
      unit: units.RequestsPerSecond,
    },
    4,
  )
    .withTarget(line(`sum(${rate("nam_ai_stream_episodes_total", 'known="no"')})`, "streams"))
    .noValue("none yet")
    .decimals(2)
    .thresholds(steps(GREEN, [0.001, ORANGE]));
}

function incidents(): PanelBuilder {
  return stat(
    {
      title: "Open AI incidents",
      description:
        "Anomalies of AI traffic that are open now. Who did what is in the agent's own events.",
      unit: units.Short,
    },
    4,
  )
    .withTarget(line(`sum(${open("critical")})`, "critical"))
    .withTarget(line(`sum(${open("warning")})`, "warning"))
    .thresholds(steps(GREEN, [1, RED]))
    .overrideByName("warning", [{ id: "thresholds", value: steps(GREEN, [1, ORANGE]).build() }]);
}

function open(severity: string): string {
  return select("nam_anomaly_active", `severity="${severity}"`, AI_DETECTORS);
}

function openServers(): PanelBuilder {
  const servers = (exposure: string): string =>
    `sum(${select("nam_agent_server_unauthenticated", `exposure="${exposure}"`)})`;
  return stat(
    {
      title: "Servers without a password",
      description:
        "Own servers of models, tools and agents that served somebody in clear text within an hour without asking who that is. public: a client on the internet.",
      unit: units.Short,
    },
    4,
  )
    .withTarget(line(servers("public"), "public"))
    .withTarget(line(servers("private"), "private"))
    .thresholds(steps(GREEN, [1, RED]))
    .overrideByName("private", [{ id: "thresholds", value: steps(GREEN, [1, ORANGE]).build() }]);
}
