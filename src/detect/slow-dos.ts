// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import { BoundedMap } from "./bounded-map.ts";
import type { DetectorDefinition } from "./detector.ts";
import { keyOf, MINUTE, PAIR_CAPACITY, pairFilter, pairFinding } from "./pair-findings.ts";
import { RecentSum } from "./recent-sum.ts";
import { count, endpoint } from "./text.ts";

const slowSettings = z.strictObject({
  connections: z
    .int()
    .min(2)
    .default(20)
    .describe(
      "Connections of one client to one service in which the server had nothing to send for 10 s, within a minute.",
    ),
});
type SlowSettings = z.infer<typeof slowSettings>;

/** Connections held open to use up a server (slowloris, slow bodies, bare connections). */
export const slowDos: DetectorDefinition<SlowSettings> = {
  name: "slow_dos",
  class: "flood",
  help: "One client holds many connections to one service open without ever asking for anything whole, so that nobody else gets one.",
  severities: ["critical"],
  settings: slowSettings,
  quietSeconds: 60,
  create: (own) => {
    const sums = new BoundedMap<RecentSum>(PAIR_CAPACITY);
    return {
      evaluate: (tick) =>
        tick.window.rows.pairs.flatMap((row) => {
          if (row.starved === 0) return [];
          const starved = sums
            .use(keyOf(row), () => new RecentSum(MINUTE))
            .add(row.starved, tick.elapsedMs);
          if (starved < own.connections) return [];
          const service = endpoint(row.server, row.port);
          return [
            {
              ...pairFinding(row, "slow_dos.connections", own.connections, starved, MINUTE),
              severity: "critical" as const,
              evidence: [
                `${count(starved, "connection")} without an answer for 10 s, in the last minute`,
                `${count(row.connections, "new connection")} in this tick`,
              ],
              explanation: `${row.client} holds ${count(starved, "connection")} to ${service} open without a whole request: the server is being starved of connections.`,
              suggestion: {
                wireshark_filter: pairFilter(row),
                promql: 'nam_flows_active{protocol="tcp"}',
              },
            },
          ];
        }),
    };
  },
};
