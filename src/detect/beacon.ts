// SPDX-License-Identifier: AGPL-3.0-or-later
import { mean, standardDeviation } from "simple-statistics";
import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorContext, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count, duration, endpoint, number, percent } from "./text.ts";

/**
 * Services whose clients come back in time by design: names, time, addresses, monitoring, routing; mail, messages,
 * directories, databases, clusters, and what administrators automate.
 */
const RHYTHMIC_PORTS = [
  ...[53, 67, 68, 123, 137, 138, 161, 162, 179, 514, 546, 547, 853, 1900, 3478, 3702, 4500, 5353],
  ...[5355, 5666, 6556, 9090, 9091, 9093, 9100, 10_050, 10_051],
  ...[22, 25, 88, 110, 143, 389, 465, 587, 636, 873, 993, 995, 1883, 5222, 8883],
  ...[1433, 1521, 3306, 5432, 6379, 9042, 11_211, 27_017, 2379, 2380, 6443, 8500, 9200, 10_250],
];

const settings = z.strictObject({
  intervals: z
    .int()
    .min(8)
    .max(32)
    .default(16)
    .describe("Intervals between connections from which on a beacon is told."),
  spread: z
    .number()
    .gt(0)
    .default(0.4)
    .describe(
      "How far the intervals may spread, from the shortest tenth to the longest, as a share of the usual one. A jitter of 20 % gives 0.32.",
    ),
  wide_spread: z
    .number()
    .gt(0)
    .default(0.6)
    .describe("The same where 30 intervals are known. A jitter of 30 % gives 0.48, chance 3."),
  deviation: z
    .number()
    .gt(0)
    .default(0.29)
    .describe(
      "Where 30 intervals are known, their standard deviation as a share of the mean is enough, too: it tells a jitter of 50 % (0.29) from chance (1), but not where calls are missing.",
    ),
  shortest_seconds: z
    .number()
    .min(0)
    .default(3)
    .describe("Connections that come faster are a busy program and no beacon."),
  clients: z
    .int()
    .min(2)
    .default(3)
    .describe(
      "From this many clients of the service on it is a service of many, and its beacon is only worth knowing.",
    ),
  servers: z
    .int()
    .min(2)
    .default(2)
    .describe(
      "From this many servers on which one client calls at the same port in a rhythm, it is monitoring, and only worth knowing.",
    ),
  services: z
    .int()
    .min(2)
    .default(3)
    .describe("The same for services of any port that one client calls in a rhythm."),
  ignored_ports: z
    .array(z.int().min(0).max(65_535))
    .default(RHYTHMIC_PORTS)
    .describe("Ports of services whose clients come back in time by design."),
});
type Settings = z.infer<typeof settings>;
type Row = TrackerRows["beacons"][number];

const CAPACITY = 4096;
/** Names remembered of the ends of a service or a client. */
const MOST_ENDS = 16;
const MANY_INTERVALS = 30;
/** Spread and deviation of intervals that come by chance. */
const CHANCE_SPREAD = 3;
const CHANCE_DEVIATION = 1;
/** A rhythm of so few intervals is not told, but counts among those of its client. */
const FEW_INTERVALS = 8;
const MULTICAST = /^(?:22[4-9]|23\d|255)\.|^ff/;

/** The rhythm of a row's connections. */
interface Rhythm {
  readonly periodMs: number;
  /** Between the shortest and the longest tenth, as a share of the period. */
  readonly spread: number;
  /** Standard deviation as a share of the mean. */
  readonly deviation: number;
}

/** How many clients the service has, and what its client calls. */
interface Ends {
  readonly clients: number;
  readonly servers: number;
  readonly services: number;
}

/** A client that calls a server again and again, in time. */
export const beacon: DetectorDefinition<Settings> = {
  name: "beacon",
  class: "malware",
  help: "One client opens connections to one service in a steady rhythm, jitter allowed for, as malware does that asks its master for orders. Monitoring of many servers and services with several clients are only worth knowing.",
  severities: ["info", "warning"],
  settings,
  quietSeconds: 60,
  alarmsPerWeek: 5,
  create: (own, context) => new Beacon(own, context),
};

class Beacon implements Detector {
  readonly #settings: Settings;
  readonly #context: DetectorContext;
  readonly #ignored: ReadonlySet<number>;
  /** Who else calls a service, and what else a client calls in a rhythm: services and their ports. */
  readonly #clients = new BoundedMap<Set<string>>(CAPACITY);
  readonly #rhythms = new BoundedMap<Map<string, number>>(CAPACITY);

  constructor(own: Settings, context: DetectorContext) {
    this.#settings = own;
    this.#context = context;
    this.#ignored = new Set(own.ignored_ports);
  }

  evaluate(tick: Tick): Finding[] {
    const rows = tick.window.rows.beacons.filter((row) => this.#isCandidate(row));
    for (const row of rows) {
      const clients = this.#clients.use(`${row.server} ${row.port}`, () => new Set());
      if (clients.size < MOST_ENDS) clients.add(row.client);
      if (row.intervalsMs.length >= FEW_INTERVALS) this.#noteRhythm(row);
    }
    return rows.flatMap((row) => this.#judge(row));
  }

  #isCandidate({ port, server, protocol }: Row): boolean {
    return !this.#ignored.has(port) && protocol !== "other" && !MULTICAST.test(server);
  }

  #noteRhythm(row: Row): void {
    const services = this.#rhythms.use(row.client, () => new Map());
    const service = `${row.server} ${row.port}`;
    if (!this.#isSteady(row)) services.delete(service);
    else if (services.size < MOST_ENDS) services.set(service, row.port);
  }

  #isSteady({ intervalsMs }: Row): boolean {
    const own = this.#settings;
    const { periodMs, spread, deviation } = rhythmOf(intervalsMs);
    if (periodMs < own.shortest_seconds * 1000) return false;
    if (intervalsMs.length < MANY_INTERVALS) return spread <= own.spread;
    return spread <= own.wide_spread || deviation <= own.deviation;
  }

  #judge(row: Row): Finding[] {
    if (row.intervalsMs.length < this.#settings.intervals || !this.#isSteady(row)) return [];
    const clients = this.#clients.peek(`${row.server} ${row.port}`)?.size ?? 1;
    const ports = [...(this.#rhythms.peek(row.client)?.values() ?? [])];
    const servers = ports.filter((port) => port === row.port).length;
    const ends = { clients, servers, services: ports.length };
    return [this.#finding(row, rhythmOf(row.intervalsMs), ends)];
  }

  /** What the rhythm is told by. */
  #measure(
    { spread, deviation }: Rhythm,
    intervals: number,
  ): Pick<Finding, "observed" | "expected" | "threshold"> {
    const own = this.#settings;
    const isLong = intervals >= MANY_INTERVALS;
    if (isLong && spread > own.wide_spread) {
      const threshold = { value: own.deviation, setting: "detectors.beacon.deviation" };
      return { observed: deviation, expected: CHANCE_DEVIATION, threshold };
    }
    const setting = isLong ? "wide_spread" : "spread";
    const threshold = { value: own[setting], setting: `detectors.beacon.${setting}` };
    return { observed: spread, expected: CHANCE_SPREAD, threshold };
  }

  #finding(row: Row, rhythm: Rhythm, ends: Ends): Finding {
    const { client, server, port, protocol, connections, intervalsMs } = row;
    const own = this.#settings;
    const isCommon =
      ends.clients >= own.clients || ends.servers >= own.servers || ends.services >= own.services;
    const period = rhythm.periodMs / 1000;
    // Of evenly spread intervals the outer tenths are left out of the spread.
    const jitter = rhythm.spread / 1.6;
    const where = this.#context.isHome(server) ? "inside" : "outside";
    return {
      entity: {
        ...{ kind: "pair", key: `${client} ${server} ${port} ${protocol}` },
        ...{ source: client, destination: server, port },
      },
      severity: isCommon ? "info" : "warning",
      protocol,
      ...this.#measure(rhythm, intervalsMs.length),
      windowSeconds: intervalsMs.reduce((sum, interval) => sum + interval, 0) / 1000,
      samples: intervalsMs.length,
      evidence: [
        `${count(connections, "connection")}, a new one every ${seconds(period)}`,
        `jitter of about ${percent(jitter)}`,
        `the server is ${where} the home networks, ${count(ends.clients, "client")} of ${protocol} port ${port} seen`,
        `in a rhythm the client calls ${count(ends.servers, "server")} on this port, ${count(ends.services, "service")} in all`,
      ],
      explanation: `${client} has opened ${count(connections, "connection")} to ${endpoint(server, port)}, one every ${seconds(period)} with a jitter of about ${percent(jitter)}: a program calls home in time.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", client)} && ${addressFilter("dst", server)} && ${protocol}.dstport == ${port}`,
        promql: `rate(nam_flows_started_total{protocol="${protocol}"}[5m])`,
      },
    };
  }
}

function rhythmOf(intervalsMs: readonly number[]): Rhythm {
  const sorted = [...intervalsMs].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const periodMs = Math.max(1, at(0.5));
  return {
    periodMs,
    spread: (at(0.9) - at(0.1)) / periodMs,
    deviation: standardDeviation(sorted) / Math.max(1, mean(sorted)),
  };
}

function seconds(period: number): string {
  return period < 10 ? `${number(period)} s` : duration(period);
}
