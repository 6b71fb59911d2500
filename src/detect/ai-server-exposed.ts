// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import type { DetectorDefinition, Finding, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count, endpoint } from "./text.ts";
import { type UnguardedServer, UnguardedServers } from "./unguarded-servers.ts";

const settings = z.strictObject({
  hold_seconds: z
    .number()
    .min(1)
    .default(3600)
    .describe(
      "Seconds for which a server stays exposed after it last served somebody unasked; a refusal with 401 or 403 ends it at once.",
    ),
  requests: z
    .int()
    .min(1)
    .default(1)
    .describe("Requests that a server serves without asking who that is before it is told."),
});
type Settings = z.infer<typeof settings>;

/** A server of tools or of a language model does for everybody what it is asked. */
export const aiServerExposed: DetectorDefinition<Settings> = {
  name: "ai_server_exposed",
  class: "exposure",
  help: "An own server of MCP, A2A, ACP or a language model serves requests in clear text that carry no password, key or cookie: critical where the client is on the internet, a warning where it is another machine of the own network.",
  severities: ["warning", "critical"],
  settings,
  quietSeconds: 10,
  create: (own, { isHome }) => {
    const servers = new UnguardedServers(isHome, own.hold_seconds);
    return {
      evaluate: (tick) =>
        servers
          .update(tick.window.rows.agent_talks, tick.elapsedMs)
          .filter(({ exposure, requests }) => exposure !== "loopback" && requests >= own.requests)
          .map((server) => finding(server, tick, own)),
    };
  },
};

function finding(found: UnguardedServer, tick: Tick, own: Settings): Finding {
  const { client, server, port, protocol, exposure, requests } = found;
  const isPublic = exposure === "public";
  const from = isPublic ? "anybody on the internet" : "anybody in the network";
  return {
    entity: {
      ...{ kind: "service", key: `${endpoint(server, port)} ${protocol}` },
      ...{ source: client, destination: server, port },
    },
    severity: isPublic ? "critical" : "warning",
    protocol,
    observed: requests,
    expected: 0,
    threshold: { value: own.requests, setting: "detectors.ai_server_exposed.requests" },
    windowSeconds: tick.seconds,
    samples: requests,
    evidence: [
      `${count(requests, "request")} of ${protocol} succeeded without Authorization, API key or cookie`,
      `the last one came from ${client}`,
    ],
    explanation: `${endpoint(server, port)} speaks ${protocol} in clear text and does what it is asked without asking who asks: ${from} can use it.`,
    suggestion: {
      wireshark_filter: `http && ${addressFilter("dst", server)} && tcp.dstport == ${port}`,
      promql: `nam_agent_server_unauthenticated{protocol="${protocol}"}`,
    },
  };
}
