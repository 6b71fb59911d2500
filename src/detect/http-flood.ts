// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { keyOf, PAIR_CAPACITY, type PairRow, pairFilter, pairFinding } from "./pair-findings.ts";
import { RecentSum } from "./recent-sum.ts";
import { RequestRates } from "./request-rates.ts";
import { Surges } from "./surge.ts";
import { count, endpoint, number } from "./text.ts";

/** One limit for both: a program without a pool opens a connection for each request, which is one and the same work. */
const PER_SECOND = 200;

const settings = z.strictObject({
  requests: z
    .number()
    .gt(0)
    .default(PER_SECOND)
    .describe("HTTP requests in clear text a second from one client to one service."),
  connections: z
    .number()
    .gt(0)
    .default(PER_SECOND)
    .describe(
      "Connections a second that one client completes with one service, besides those that a request in clear text came over.",
    ),
  unusual_requests: z
    .number()
    .gt(0)
    .default(50)
    .describe(
      "Requests a second of one client, over ten seconds, to a service that was watched for ten minutes and usually gets far fewer.",
    ),
  gate: z
    .number()
    .gt(0)
    .default(6)
    .describe("Standard deviations above a service's usual rate from which on it is far more."),
});
type Settings = z.infer<typeof settings>;

const SECONDS = 10;

/** Requests or connections of one client beyond what a person or a program needs. */
export const httpFlood: DetectorDefinition<Settings> = {
  name: "http_flood",
  class: "flood",
  help: "One client sends requests, or completes connections, to one service at a rate that no person and few programs reach, or far beyond what the service usually gets.",
  severities: ["warning"],
  settings,
  quietSeconds: 30,
  create: (own) => new HttpFlood(own),
};

class HttpFlood implements Detector {
  readonly #settings: Settings;
  readonly #surges = new Surges(PAIR_CAPACITY);
  readonly #rates = new RequestRates();
  readonly #recent = new BoundedMap<RecentSum>(PAIR_CAPACITY);

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    this.#rates.update(tick);
    return tick.window.rows.pairs.flatMap((row) => this.#judge(row, tick));
  }

  #judge(row: PairRow, tick: Tick): Finding[] {
    const own = this.#settings;
    const seconds = Math.max(1, tick.seconds);
    const requests = row.requests / seconds;
    // A client that opens a connection for each request does one thing at a time, not two.
    const connections = Math.max(0, row.connections - row.requests) / seconds;
    const isByRequests = requests / own.requests >= connections / own.connections;
    const setting = isByRequests ? "requests" : "connections";
    const rate = isByRequests ? requests : connections;
    if (this.#surges.update(keyOf(row), rate, own[setting], tick)) {
      return [this.#finding(row, setting, rate, tick.seconds)];
    }
    return this.#isUnusual(row, tick)
      ? [this.#finding(row, "unusual_requests", requests, SECONDS)]
      : [];
  }

  #isUnusual(row: PairRow, tick: Tick): boolean {
    const own = this.#settings;
    if (row.requests === 0) return false;
    const recent = this.#recent
      .use(keyOf(row), () => new RecentSum(SECONDS))
      .add(row.requests, tick.elapsedMs);
    return recent >= own.unusual_requests * SECONDS && this.#rates.score(row) >= own.gate;
  }

  #finding(
    row: PairRow,
    setting: "requests" | "connections" | "unusual_requests",
    rate: number,
    seconds: number,
  ): Finding {
    const value = this.#settings[setting];
    const what = setting === "connections" ? "connections" : "requests";
    const score = this.#rates.score(row);
    return {
      ...pairFinding(row, `http_flood.${setting}`, value, rate, seconds),
      severity: "warning",
      expected: this.#rates.usual(row),
      ...(score > 0 ? { z: score } : {}),
      evidence: [
        `${count(row.requests, "request")} and ${count(row.connections, "connection")} in this tick`,
        `all clients together usually send the service ${number(this.#rates.usual(row))} requests/s`,
      ],
      explanation: `${row.client} sends ${number(rate)} ${what}/s to ${endpoint(row.server, row.port)}: the service is flooded, or a program has run wild.`,
      suggestion: {
        wireshark_filter: pairFilter(row),
        promql: "sum(rate(nam_http_requests_total[1m]))",
      },
    };
  }
}
