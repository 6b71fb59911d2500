// SPDX-License-Identifier: AGPL-3.0-or-later
import { AiProviders } from "../../src/flow/ai/providers.ts";
import type { Report } from "../../src/report.ts";
import type { Reference } from "../decode/reference.ts";

/** Captures of the shared data in which agents speak: encrypted to a language model, and in clear text to tools. */
export const AGENT_LOOP = "ai/llm-openai-node-agentloop-tls13.pcap";
export const MCP_SESSION = "ai/mcp-2025-11-25-plaintext.pcap";

/** What a report tells of AI. */
export interface AiSaid {
  readonly ai: Report["ai"];
  /** Detectors of AI that opened an event. */
  readonly detectors: readonly string[];
}

const NOTHING: AiSaid = {
  ai: { providers: [], bytes: [], calls: [], protocols: [] },
  detectors: [],
};

const TRUE_ONES: Readonly<Record<string, AiSaid>> = {
  [AGENT_LOOP]: {
    ai: { ...NOTHING.ai, calls: [{ provider: "none", transport: "tls_h1", calls: 8 }] },
    detectors: ["ai_unknown_stream"],
  },
  [MCP_SESSION]: {
    ai: {
      ...NOTHING.ai,
      protocols: [
        { protocol: "mcp_stream", kind: "initialize", count: 1 },
        { protocol: "mcp_stream", kind: "list", count: 1 },
        { protocol: "mcp_stream", kind: "call", count: 3 },
        { protocol: "mcp_stream", kind: "notify", count: 1 },
        { protocol: "mcp_stream", kind: "stream", count: 1 },
      ],
    },
    detectors: [],
  },
};

/** What is true of a capture: of all but two there is nothing to tell, and no name that tshark reads says otherwise. */
export function trueOf(capture: string): AiSaid {
  return TRUE_ONES[capture] ?? NOTHING;
}

export function saidBy({ ai, events }: Report): AiSaid {
  const opened = events.filter(({ state, detector }) => state === "open" && isOfAi(detector));
  return { ai, detectors: opened.map(({ detector }) => detector) };
}

function isOfAi(detector: string): boolean {
  return detector.startsWith("ai_");
}

/** Names of AI providers among those that tshark reads: in hellos, in requests, and in questions to DNS. */
export function providersNamed({ tls, quic, http, dns }: Reference["answer"]): string[] {
  const table = new AiProviders();
  const hosts = Object.keys(http.hosts).map((host) => host.replace(/:\d+$/, ""));
  return [tls.sni, quic.sni, dns.query_names]
    .flatMap((names) => Object.keys(names))
    .concat(hosts)
    .filter((name) => table.find(name) >= 0);
}
