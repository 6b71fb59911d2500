// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import type { DetectorDefinition } from "./detector.ts";
import { keyOf, PAIR_CAPACITY, pairFilter, pairFinding } from "./pair-findings.ts";
import { Surges } from "./surge.ts";
import { count, endpoint, number } from "./text.ts";

const httpSettings = z.strictObject({
  requests: z
    .number()
    .gt(0)
    .default(200)
    .describe("HTTP requests in clear text a second from one client to one service."),
  connections: z
    .number()
    .gt(0)
    .default(100)
    .describe("Connections a second that one client completes with one service."),
});
type HttpSettings = z.infer<typeof httpSettings>;

/** Requests or connections of one client beyond what a person or a program needs. */
export const httpFlood: DetectorDefinition<HttpSettings> = {
  name: "http_flood",
  class: "flood",
  help: "One client sends requests, or completes connections, to one service at a rate that no person and few programs reach.",
  severities: ["warning"],
  settings: httpSettings,
  quietSeconds: 30,
  create: (own) => {
    const surges = new Surges(PAIR_CAPACITY);
    return {
      evaluate: (tick) =>
        tick.window.rows.pairs.flatMap((row) => {
          const seconds = Math.max(1, tick.seconds);
          const requests = row.requests / seconds;
          const connections = row.connections / seconds;
          const byRequests = requests / own.requests >= connections / own.connections;
          const setting = byRequests ? "requests" : "connections";
          const rate = byRequests ? requests : connections;
          if (!surges.update(keyOf(row), rate, own[setting], tick)) return [];
          const service = endpoint(row.server, row.port);
          return [
            {
              ...pairFinding(row, `http_flood.${setting}`, own[setting], rate, tick.seconds),
              severity: "warning" as const,
              evidence: [
                `${count(row.requests, "request")} and ${count(row.connections, "connection")} in ${number(tick.seconds)} s`,
              ],
              explanation: `${row.client} sends ${number(rate)} ${setting}/s to ${service}: the service is flooded, or a program has run wild.`,
              suggestion: {
                wireshark_filter: pairFilter(row),
                promql: "sum(rate(nam_http_requests_total[1m]))",
              },
            },
          ];
        }),
    };
  },
};
