// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import { scopeOf } from "../util/address-scope.ts";
import type { DetectorDefinition, Finding, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count, endpoint } from "./text.ts";

const settings = z.strictObject({
  requests: z
    .int()
    .min(1)
    .default(1)
    .describe(
      "Requests that succeeded within a window, to an address instead of a name, that are told.",
    ),
});
type Settings = z.infer<typeof settings>;

/** Somebody uses a language model or a tool server on the internet by its bare address, in clear text. */
export const aiDirectIp: DetectorDefinition<Settings> = {
  name: "ai_direct_ip",
  class: "agent",
  help: "An agent or a client of a language model asks a server on the internet in clear text by its address instead of a name, and is served: no provider is reached so, but a machine that somebody set up.",
  severities: ["warning"],
  settings,
  quietSeconds: 60,
  create: (own, { isHome }) => ({
    evaluate: (tick) =>
      tick.window.rows.agent_talks
        .filter((row) => row.toAddress >= own.requests)
        .filter(({ server }) => scopeOf(server) === "public" && !isHome(server))
        .map((row) => finding(row, tick, own)),
  }),
};

function finding(
  { client, server, port, protocol, toAddress }: Tick["window"]["rows"]["agent_talks"][number],
  tick: Tick,
  own: Settings,
): Finding {
  return {
    entity: {
      ...{ kind: "pair", key: `${client} ${server} ${port}` },
      ...{ source: client, destination: server, port },
    },
    severity: "warning",
    protocol,
    observed: toAddress,
    expected: 0,
    threshold: { value: own.requests, setting: "detectors.ai_direct_ip.requests" },
    windowSeconds: tick.seconds,
    samples: toAddress,
    evidence: [
      `${count(toAddress, "request")} of ${protocol} to ${endpoint(server, port)} succeeded`,
      "the Host header is an address, the traffic is not encrypted",
    ],
    explanation: `${client} speaks ${protocol} in clear text with ${endpoint(server, port)} on the internet, by its address and not by a name: no known provider is reached so.`,
    suggestion: {
      wireshark_filter: `http && ${addressFilter("src", client)} && ${addressFilter("dst", server)}`,
      promql: `rate(nam_agent_protocol_messages_total{protocol="${protocol}"}[5m])`,
    },
  };
}
