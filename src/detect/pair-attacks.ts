// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import type { TrackerRows } from "../flow/window.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { RecentSum } from "./recent-sum.ts";
import { addressFilter } from "./suggestions.ts";
import { Surges } from "./surge.ts";
import { count, endpoint, number } from "./text.ts";

type PairRow = TrackerRows["pairs"][number];

const CAPACITY = 4096;
const MINUTE = 60;

/** Services that let people in, by TCP port; programs keep their connections to them for long. */
const LOGIN_PORTS: Readonly<Record<number, string>> = {
  ...{ 21: "FTP", 22: "SSH", 23: "Telnet", 512: "rexec", 513: "rlogin", 2222: "SSH" },
  ...{ 3389: "RDP", 5900: "VNC" },
};

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
  readonly #pairs = new BoundedMap<Attempts>(CAPACITY);

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
    const brief = attempts.brief.add(isLogin ? row.brief : 0, elapsedMs);
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
    ...finding(row, `brute_force.${setting}`, own[setting], observed, windowSeconds),
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
    const surges = new Surges(CAPACITY);
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
              ...finding(row, `http_flood.${setting}`, own[setting], rate, tick.seconds),
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
    const sums = new BoundedMap<RecentSum>(CAPACITY);
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
              ...finding(row, "slow_dos.connections", own.connections, starved, MINUTE),
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

function finding(
  row: PairRow,
  setting: string,
  value: number,
  observed: number,
  windowSeconds: number,
): Pick<
  Finding,
  "entity" | "protocol" | "observed" | "expected" | "threshold" | "windowSeconds" | "samples"
> {
  return {
    entity: {
      ...{ kind: "pair", key: keyOf(row) },
      ...{ source: row.client, destination: row.server, port: row.port },
    },
    protocol: "tcp",
    observed,
    expected: 0,
    threshold: { value, setting: `detectors.${setting}` },
    windowSeconds,
    samples: Math.round(observed),
  };
}

function keyOf({ client, server, port }: PairRow): string {
  return `${client} > ${endpoint(server, port)}`;
}

function pairFilter({ client, server, port }: PairRow): string {
  return `${addressFilter("src", client)} && ${addressFilter("dst", server)} && tcp.dstport == ${port}`;
}
