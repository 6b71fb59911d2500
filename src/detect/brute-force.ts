// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import {
  keyOf,
  LOGIN_PORTS,
  MINUTE,
  PAIR_CAPACITY,
  type PairRow,
  pairFilter,
  pairFinding,
} from "./pair-findings.ts";
import { RecentSum } from "./recent-sum.ts";
import { count, endpoint, number } from "./text.ts";

const bruteForceSettings = z.strictObject({
  failures: z
    .int()
    .min(2)
    .default(12)
    .describe("Logins of one client that a service may refuse within five minutes."),
  brief: z
    .int()
    .min(2)
    .default(7)
    .describe(
      "Connections of one client to a remote login service within a minute that end too soon for a session.",
    ),
  connections: z
    .int()
    .min(2)
    .default(40)
    .describe("Connections of one client to a remote login service within a minute."),
  unauthorized: z
    .int()
    .min(2)
    .default(40)
    .describe(
      "HTTP requests of one client that a service may answer with 401 or 403 within five minutes, while they are most of them.",
    ),
});
type BruteForceSettings = z.infer<typeof bruteForceSettings>;

/** Passwords tried one after another. */
export const bruteForce: DetectorDefinition<BruteForceSettings> = {
  name: "brute_force",
  class: "intrusion",
  help: "One client fails to log in at a service again and again, as the service's answers tell, or by one short connection after another to a login service.",
  severities: ["warning"],
  settings: bruteForceSettings,
  quietSeconds: 60,
  create: (own) => new BruteForce(own),
};

interface Attempts {
  readonly failures: RecentSum;
  readonly successes: RecentSum;
  readonly connections: RecentSum;
  readonly brief: RecentSum;
  readonly unauthorized: RecentSum;
  readonly requests: RecentSum;
}

class BruteForce implements Detector {
  readonly #settings: BruteForceSettings;
  readonly #pairs = new BoundedMap<Attempts>(PAIR_CAPACITY);

  constructor(own: BruteForceSettings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    return tick.window.rows.pairs.flatMap((row) => {
      if (!(row.port in LOGIN_PORTS) && row.loginsFailed + row.unauthorized === 0) {
        if (!this.#pairs.peek(keyOf(row))) return [];
      }
      return this.#judge(row, tick.elapsedMs);
    });
  }

  #judge(row: PairRow, elapsedMs: number): Finding[] {
    const own = this.#settings;
    const attempts = this.#pairs.use(keyOf(row), newAttempts);
    const failures = attempts.failures.add(row.loginsFailed, elapsedMs);
    const successes = attempts.successes.add(row.loginsSucceeded, elapsedMs);
    const unauthorized = attempts.unauthorized.add(row.unauthorized, elapsedMs);
    const requests = attempts.requests.add(row.requests, elapsedMs);
    const isLogin = row.port in LOGIN_PORTS;
    const connections = attempts.connections.add(isLogin ? row.connections : 0, elapsedMs);
    if (failures >= own.failures && failures > successes) {
      return [guess(row, "failures", failures, own, 5 * MINUTE, "refused logins")];
    }
    if (unauthorized >= own.unauthorized && unauthorized * 2 >= requests) {
      return [
        guess(
          row,
          "unauthorized",
          unauthorized,
          own,
          5 * MINUTE,
          "requests without the right to them",
        ),
      ];
    }
    // Where the service is heard to let the client in, a short connection is a short errand.
    const brief = attempts.brief.add(isLogin ? row.brief : 0, elapsedMs) - successes;
    if (brief >= own.brief && row.brief > 0) {
      const service = LOGIN_PORTS[row.port] ?? "login";
      return [
        guess(row, "brief", brief, own, MINUTE, `${service} connections that came to nothing`),
      ];
    }
    if (connections >= own.connections && row.connections > 0) {
      const service = LOGIN_PORTS[row.port] ?? "login";
      return [guess(row, "connections", connections, own, MINUTE, `${service} connections`)];
    }
    return [];
  }
}

function newAttempts(): Attempts {
  return {
    failures: new RecentSum(5 * MINUTE),
    successes: new RecentSum(5 * MINUTE),
    connections: new RecentSum(MINUTE),
    brief: new RecentSum(MINUTE),
    unauthorized: new RecentSum(5 * MINUTE),
    requests: new RecentSum(5 * MINUTE),
  };
}

function guess(
  row: PairRow,
  setting: keyof BruteForceSettings,
  observed: number,
  own: BruteForceSettings,
  windowSeconds: number,
  what: string,
): Finding {
  const service = endpoint(row.server, row.port);
  return {
    ...pairFinding(row, `brute_force.${setting}`, own[setting], observed, windowSeconds),
    severity: "warning",
    evidence: [
      `${count(observed, "attempt")} in the last ${number(windowSeconds / MINUTE)} min`,
      `in this tick ${number(row.connections)} connections, ${number(row.loginsFailed)} refused logins, ${number(row.unauthorized)} answers 401 or 403`,
    ],
    explanation: `${row.client} made ${number(observed)} ${what} at ${service} in ${number(windowSeconds / MINUTE)} min: it is probably guessing passwords.`,
    suggestion: {
      wireshark_filter: pairFilter(row),
      promql: "sum by (protocol) (increase(nam_login_failures_total[5m]))",
    },
  };
}
