// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../../metrics/metric.ts";

/** Protocols of agents and language models in clear text: values of the `protocol` label. */
export const AGENT_PROTOCOLS = [
  ...["mcp_legacy", "mcp_stream", "mcp_2026", "a2a", "acp"],
  ...["openai_rest", "anthropic_rest", "ollama"],
] as const;
/** Positions in AGENT_PROTOCOLS. */
export const Protocol = {
  MCP_LEGACY: 0,
  MCP_STREAM: 1,
  MCP_2026: 2,
  A2A: 3,
  ACP: 4,
  OPENAI: 5,
  ANTHROPIC: 6,
  OLLAMA: 7,
} as const;

/** What a message does: values of the `kind` label. */
export const MESSAGE_KINDS = [
  ...["initialize", "discover", "list", "call", "notify", "stream", "error", "other"],
] as const;
/** Positions in MESSAGE_KINDS. */
export const Kind = {
  INITIALIZE: 0,
  DISCOVER: 1,
  LIST: 2,
  CALL: 3,
  NOTIFY: 4,
  STREAM: 5,
  ERROR: 6,
  OTHER: 7,
} as const;

export const agentMessages: MetricDefinition = {
  name: "nam_agent_protocol_messages_total",
  help: "Messages of agents and language models in clear text by protocol and kind: requests by what they ask for, streams that were opened, and errors that came back.",
  type: "counter",
  labels: { protocol: AGENT_PROTOCOLS, kind: MESSAGE_KINDS },
};

export const agentMismatches: MetricDefinition = {
  name: "nam_agent_header_mismatches_total",
  help: "MCP requests whose Mcp-Method or Mcp-Name header says something else than their body: whoever filters by the header is deceived.",
  type: "counter",
};

/** True for the three wire eras of MCP, for A2A, and for -1, what may turn out to be one of them: protocols of JSON-RPC. */
export function isJsonRpc(protocol: number): boolean {
  return protocol <= Protocol.A2A;
}
