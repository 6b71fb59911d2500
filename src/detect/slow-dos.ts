// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding } from "./detector.ts";
import {
  keyOf,
  MINUTE,
  PAIR_CAPACITY,
  type PairRow,
  pairFilter,
  pairFinding,
} from "./pair-findings.ts";
import { RecentSum } from "./recent-sum.ts";
import { count, endpoint } from "./text.ts";

function settingsOf(what: string) {
  const connections = z.int().min(2).default(20).describe(what);
  return z.strictObject({ connections });
}

const slowSettings = settingsOf(
  "Connections of one client to one service in which the server had nothing to send for 10 s, within a minute.",
);

/** Connections held open to use up a server (slowloris, slow bodies, bare connections). */
export const slowDos: DetectorDefinition<z.infer<typeof slowSettings>> = {
  name: "slow_dos",
  class: "flood",
  help: "One client holds many connections to one service open without ever asking for anything whole, so that nobody else gets one.",
  severities: ["critical"],
  settings: slowSettings,
  quietSeconds: 60,
  create: (own) =>
    held("slow_dos", own.connections, {
      count: (row) => row.starved,
      fact: "without an answer for 10 s",
      how: "open without a whole request",
      filter: "",
    }),
};

const readSettings = settingsOf(
  "Connections of one client to one service whose answers it did not take for 10 s, its window shut, within a minute.",
);

/** Answers that are asked for and not taken, so that the server has to keep them (slow read, zero windows). */
export const slowRead: DetectorDefinition<z.infer<typeof readSettings>> = {
  name: "slow_read",
  class: "flood",
  help: "One client asks one service for answers on many connections and then keeps its receive window shut, so that the server must hold them all.",
  severities: ["critical"],
  settings: readSettings,
  quietSeconds: 60,
  create: (own) =>
    held("slow_read", own.connections, {
      count: (row) => row.stalled,
      fact: "with a shut window for 10 s, and next to nothing taken",
      how: "open without taking what it asked for",
      filter: " && tcp.window_size_value < 16",
    }),
};

/** One way to hold connections: how it is counted and told. */
interface Hold {
  count(row: PairRow): number;
  readonly fact: string;
  readonly how: string;
  readonly filter: string;
}

function held(name: string, limit: number, hold: Hold): Detector {
  const sums = new BoundedMap<RecentSum>(PAIR_CAPACITY);
  return {
    evaluate: ({ window, elapsedMs }) =>
      window.rows.pairs.flatMap((row) => {
        const now = hold.count(row);
        if (now === 0) return [];
        const all = sums.use(keyOf(row), () => new RecentSum(MINUTE)).add(now, elapsedMs);
        return all < limit ? [] : [finding(row, name, limit, all, hold)];
      }),
  };
}

function finding(row: PairRow, name: string, limit: number, all: number, hold: Hold): Finding {
  const service = endpoint(row.server, row.port);
  return {
    ...pairFinding(row, `${name}.connections`, limit, all, MINUTE),
    severity: "critical",
    evidence: [
      `${count(all, "connection")} ${hold.fact}, in the last minute`,
      `${count(row.connections, "new connection")} in this tick`,
    ],
    explanation: `${row.client} holds ${count(all, "connection")} to ${service} ${hold.how}: the server is being starved of connections.`,
    suggestion: {
      wireshark_filter: `${pairFilter(row)}${hold.filter}`,
      promql: 'nam_flows_active{protocol="tcp"}',
    },
  };
}
