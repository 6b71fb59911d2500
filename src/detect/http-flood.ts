// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import type { Detector, DetectorContext, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { keyOf, PAIR_CAPACITY, type PairRow, pairFilter, pairFinding } from "./pair-findings.ts";
import { ServiceRates } from "./service-rates.ts";
import { RATE_SECONDS, SuddenRates } from "./sudden-rates.ts";
import { Surges } from "./surge.ts";
import { count, endpoint, number } from "./text.ts";

/** One limit for both: a program without a pool opens a connection for each request, which is one and the same work. */
const PER_SECOND = 200;
/** Where it cannot be such a program, or is not what it does usually. */
const PER_SECOND_UNEXPECTED = 100;

function perSecond(rate: number, what: string) {
  return z.number().gt(0).default(rate).describe(what);
}

const settings = z.strictObject({
  requests: perSecond(
    PER_SECOND,
    "HTTP requests in clear text a second from one client to one service.",
  ),
  connections: perSecond(
    PER_SECOND,
    "Connections a second that one client completes with one service, besides as many as it sends requests in clear text.",
  ),
  outside: perSecond(
    PER_SECOND_UNEXPECTED,
    "The same, of either, from a client outside the home networks to a service inside, for some seconds: programs that work for each other are mostly neighbours.",
  ),
  empty_connections: perSecond(
    PER_SECOND_UNEXPECTED,
    "Connections a second of one client with one service that are over without a word of either, for some seconds.",
  ),
  unusual_requests: perSecond(
    50,
    "Requests a second of one client, over ten seconds and three times as many as before, to a service that was watched for ten minutes and usually gets far fewer.",
  ),
  unusual_connections: perSecond(PER_SECOND_UNEXPECTED, "The same for connections."),
  gate: z
    .number()
    .gt(0)
    .default(6)
    .describe("Standard deviations above a service's usual rate from which on it is far more."),
});
type Settings = z.infer<typeof settings>;
type Limit = Exclude<keyof Settings, "gate">;

/** What a client does too often. */
interface Act<What = "requests" | "connections" | "empty connections"> {
  readonly what: What;
  readonly rate: number;
  readonly limit: Limit;
  /** Seconds that the rate is the mean of. */
  readonly seconds: number;
}

/** Requests or connections of one client beyond what a person or a program needs. */
export const httpFlood: DetectorDefinition<Settings> = {
  name: "http_flood",
  class: "flood",
  help: "One client sends requests, or completes connections, to one service at a rate that no person and few programs reach, or far beyond what the service usually gets; fewer are enough from outside, or where nothing is said on the connections.",
  severities: ["warning"],
  settings,
  quietSeconds: 30,
  create: (own, context) => new HttpFlood(own, context),
};

class HttpFlood implements Detector {
  readonly #settings: Settings;
  readonly #context: DetectorContext;
  readonly #surges = new Surges(PAIR_CAPACITY);
  /** A page of hundreds of pictures comes at such a rate too, for a second. */
  readonly #lasting = new Surges(PAIR_CAPACITY, Number.POSITIVE_INFINITY);
  readonly #usual = {
    requests: new ServiceRates(({ requests }) => requests),
    connections: new ServiceRates(connectionsOf),
  };
  readonly #sudden = {
    requests: new SuddenRates(PAIR_CAPACITY),
    connections: new SuddenRates(PAIR_CAPACITY),
  };

  constructor(own: Settings, context: DetectorContext) {
    this.#settings = own;
    this.#context = context;
  }

  evaluate(tick: Tick): Finding[] {
    this.#usual.requests.update(tick);
    this.#usual.connections.update(tick);
    return tick.window.rows.pairs.flatMap((row) => {
      const act = this.#judge(row, tick);
      return act ? [this.#finding(row, act)] : [];
    });
  }

  #judge(row: PairRow, tick: Tick): Act | undefined {
    const seconds = Math.max(1, tick.seconds);
    const requests = { what: "requests", rate: row.requests / seconds, seconds } as const;
    const connections = {
      what: "connections",
      rate: connectionsOf(row) / seconds,
      seconds,
    } as const;
    const empty = { what: "empty connections", rate: row.empty / seconds, seconds } as const;
    const any = this.#worst([
      { ...requests, limit: "requests" },
      { ...connections, limit: "connections" },
    ]);
    const unexpected = this.#worst([
      { ...empty, limit: "empty_connections" },
      ...(this.#isFromOutside(row) ? [{ ...any, limit: "outside" } as const] : []),
    ]);
    const isFlood = this.#surges.update(keyOf(row), this.#share(any), 1, tick);
    const isUnexpected = this.#lasting.update(keyOf(row), this.#share(unexpected), 1, tick);
    const unusual = this.#unusual(row, tick);
    if (isFlood) return any;
    return isUnexpected ? unexpected : unusual;
  }

  #unusual(row: PairRow, { elapsedMs }: Tick): Act | undefined {
    const own = this.#settings;
    const acts = (["requests", "connections"] as const).map((what): Act<typeof what> => {
      const now = what === "requests" ? row.requests : connectionsOf(row);
      const limit = `unusual_${what}` as const;
      const rate = this.#sudden[what].update(keyOf(row), now, own[limit], elapsedMs);
      return { what, rate, limit, seconds: RATE_SECONDS };
    });
    return acts.find(({ what, rate }) => rate > 0 && this.#usual[what].score(row) >= own.gate);
  }

  #isFromOutside({ client, server }: PairRow): boolean {
    return this.#context.isHome(server) && !this.#context.isHome(client);
  }

  #worst(acts: readonly [Act, ...Act[]]): Act {
    return acts.reduce((worst, act) => (this.#share(act) > this.#share(worst) ? act : worst));
  }

  /** 1 where the rate is at its limit. */
  #share({ rate, limit }: Act): number {
    return rate / this.#settings[limit];
  }

  #finding(row: PairRow, { what, rate, limit, seconds }: Act): Finding {
    const isOfRequests = what === "requests";
    const rates = this.#usual[isOfRequests ? "requests" : "connections"];
    const [usual, score] = [rates.usual(row), rates.score(row)];
    const acts = isOfRequests ? "requests" : "connections";
    return {
      ...pairFinding(row, `http_flood.${limit}`, this.#settings[limit], rate, seconds),
      severity: "warning",
      expected: usual ?? 0,
      ...(score > 0 ? { z: score } : {}),
      evidence: [
        `${count(row.requests, "request")} and ${count(row.connections, "connection")} in this tick`,
        ...(row.empty > 0 ? [`${count(row.empty, "connection")} ended without a word`] : []),
        usual === undefined
          ? "what is usual for the service is not known yet"
          : `all clients together usually make ${number(usual)} ${acts}/s`,
      ],
      explanation: `${row.client} makes ${number(rate)} ${what}/s to ${endpoint(row.server, row.port)}: the service is flooded, or a program has run wild.`,
      suggestion: {
        wireshark_filter: pairFilter(row),
        promql: isOfRequests
          ? "sum(rate(nam_http_requests_total[1m]))"
          : 'rate(nam_tcp_handshakes_total{outcome="established"}[1m])',
      },
    };
  }
}

/** A client that opens a connection for each request does one thing at a time, not two. */
function connectionsOf({ connections, requests }: PairRow): number {
  return Math.max(0, connections - requests);
}
