// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { LOGIN_PORTS, type PairRow } from "./pair-findings.ts";
import { addressFilter } from "./suggestions.ts";
import { count, duration, endpoint, number } from "./text.ts";

const settings = z.strictObject({
  sources: z
    .int()
    .min(2)
    .default(15)
    .describe("Clients that may fail to log in at one service within the time."),
  attempts: z
    .int()
    .min(2)
    .default(30)
    .describe("Least refused logins, and connections too short for a session, of all of them."),
  seconds: z.number().min(60).default(600).describe("Seconds for which an attempt counts."),
});
type Settings = z.infer<typeof settings>;

const CAPACITY = 256;
/** Clients of one service that are remembered. */
const MOST_CLIENTS = 512;

interface Client {
  attempts: number;
  lastMs: number;
}

/** Passwords tried by many, each of which tries only a few. */
export const distributedBruteForce: DetectorDefinition<Settings> = {
  name: "distributed_brute_force",
  class: "intrusion",
  help: "Many clients fail to log in at one service, each only a few times, as the service's answers tell, or by connections too short for a session: passwords are guessed by many hosts together.",
  severities: ["warning"],
  settings,
  quietSeconds: 60,
  create: (own) => new DistributedBruteForce(own),
};

class DistributedBruteForce implements Detector {
  readonly #settings: Settings;
  readonly #services = new BoundedMap<Map<string, Client>>(CAPACITY);

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const touched = new Map<string, PairRow>();
    for (const row of tick.window.rows.pairs) {
      const key = endpoint(row.server, row.port);
      if (row.loginsSucceeded > 0) this.#services.peek(key)?.delete(row.client);
      else if (attemptsOf(row) > 0) {
        this.#note(key, row, tick.elapsedMs);
        touched.set(key, row);
      }
    }
    return [...touched].flatMap(([key, row]) => this.#judge(key, row, tick.elapsedMs));
  }

  #note(key: string, row: PairRow, elapsedMs: number): void {
    const clients = this.#services.use(key, () => new Map());
    const attempts = attemptsOf(row) + (clients.get(row.client)?.attempts ?? 0);
    // Behind those that came later, so that the oldest is forgotten first.
    clients.delete(row.client);
    clients.set(row.client, { attempts, lastMs: elapsedMs });
    for (const [client, { lastMs }] of clients) {
      const isOld = elapsedMs - lastMs > this.#settings.seconds * 1000;
      if (!isOld && clients.size <= MOST_CLIENTS) return;
      clients.delete(client);
    }
  }

  #judge(key: string, row: PairRow, elapsedMs: number): Finding[] {
    const own = this.#settings;
    const clients = this.#services.peek(key) ?? new Map<string, Client>();
    const attempts = [...clients.values()].reduce((sum, client) => sum + client.attempts, 0);
    if (clients.size < own.sources || attempts < own.attempts) return [];
    const since = Math.min(elapsedMs / 1000, own.seconds);
    return [finding(key, row, clients, attempts, since, own)];
  }
}

/** Refused logins, or connections to a login service that came to nothing; one may be both. */
function attemptsOf({ port, loginsFailed, brief }: PairRow): number {
  return Math.max(loginsFailed, port in LOGIN_PORTS ? brief : 0);
}

function finding(
  key: string,
  { server, port }: PairRow,
  clients: ReadonlyMap<string, Client>,
  attempts: number,
  seconds: number,
  own: Settings,
): Finding {
  const most = [...clients].sort((a, b) => b[1].attempts - a[1].attempts).slice(0, 3);
  return {
    entity: { kind: "service", key, destination: server, port },
    severity: "warning",
    protocol: "tcp",
    observed: clients.size,
    expected: 0,
    threshold: {
      value: own.sources,
      setting: "detectors.distributed_brute_force.sources",
    },
    windowSeconds: own.seconds,
    samples: attempts,
    evidence: [
      `${count(attempts, "attempt")} of ${count(clients.size, "client")}, ${number(attempts / clients.size)} each on average`,
      `most by ${most.map(([client, { attempts: own }]) => `${client} (${number(own)})`).join(", ")}`,
    ],
    explanation: `${count(clients.size, "client")} failed to log in at ${key} within ${duration(seconds)}, each only a few times: passwords are guessed by many hosts together.`,
    suggestion: {
      wireshark_filter: `${addressFilter("dst", server)} && tcp.dstport == ${port}`,
      promql: "sum by (protocol) (increase(nam_login_failures_total[5m]))",
    },
  };
}
