// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import type { TrackerRows } from "../flow/window.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorContext, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count, duration, endpoint, number, percent } from "./text.ts";

/** Services whose clients come back in time by design: names, time, addresses, monitoring, routing. */
const RHYTHMIC_PORTS = [
  ...[53, 67, 68, 123, 137, 138, 161, 162, 179, 514, 546, 547, 853, 1900, 3478, 3702, 4500, 5353],
  ...[5355, 5666, 6556, 9090, 9091, 9093, 9100, 10050, 10051],
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
    .default(3)
    .describe(
      "From this many servers on which one client calls at the same port, it is monitoring, and only worth knowing.",
    ),
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
const MULTICAST = /^(?:22[4-9]|23\d|255)\.|^ff/;

/** The rhythm of a row's connections. */
interface Rhythm {
  readonly periodMs: number;
  /** Between the shortest and the longest tenth, as a share of the period. */
  readonly spread: number;
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
  /** Who else calls a service, and whom else a client calls at the same port. */
  readonly #clients = new BoundedMap<Set<string>>(CAPACITY);
  readonly #servers = new BoundedMap<Set<string>>(CAPACITY);

  constructor(own: Settings, context: DetectorContext) {
    this.#settings = own;
    this.#context = context;
    this.#ignored = new Set(own.ignored_ports);
  }

  evaluate(tick: Tick): Finding[] {
    const rows = tick.window.rows.beacons.filter((row) => this.#isCandidate(row));
    for (const { client, server, port } of rows) {
      remember(
        this.#clients.use(`${server} ${port}`, () => new Set()),
        client,
      );
      remember(
        this.#servers.use(`${client} ${port}`, () => new Set()),
        server,
      );
    }
    return rows.flatMap((row) => this.#judge(row));
  }

  #isCandidate({ port, server, protocol }: Row): boolean {
    return !this.#ignored.has(port) && protocol !== "other" && !MULTICAST.test(server);
  }

  #judge(row: Row): Finding[] {
    const own = this.#settings;
    const { length } = row.intervalsMs;
    if (length < own.intervals) return [];
    const rhythm = rhythmOf(row.intervalsMs);
    const limit = length >= MANY_INTERVALS ? own.wide_spread : own.spread;
    if (rhythm.spread > limit || rhythm.periodMs < own.shortest_seconds * 1000) return [];
    const clients = this.#clients.peek(`${row.server} ${row.port}`)?.size ?? 1;
    const servers = this.#servers.peek(`${row.client} ${row.port}`)?.size ?? 1;
    return [this.#finding(row, rhythm, { clients, servers })];
  }

  #finding(row: Row, rhythm: Rhythm, ends: { clients: number; servers: number }): Finding {
    const { client, server, port, protocol, connections, intervalsMs } = row;
    const own = this.#settings;
    const isCommon = ends.clients >= own.clients || ends.servers >= own.servers;
    const period = rhythm.periodMs / 1000;
    // Of evenly spread intervals the outer tenths are left out of the spread.
    const jitter = rhythm.spread / 1.6;
    const isWide = intervalsMs.length >= MANY_INTERVALS;
    const where = this.#context.isHome(server) ? "inside" : "outside";
    return {
      entity: {
        ...{ kind: "pair", key: `${client} ${server} ${port} ${protocol}` },
        ...{ source: client, destination: server, port },
      },
      severity: isCommon ? "info" : "warning",
      protocol,
      observed: rhythm.spread,
      expected: 3,
      threshold: isWide
        ? { value: own.wide_spread, setting: "detectors.beacon.wide_spread" }
        : { value: own.spread, setting: "detectors.beacon.spread" },
      windowSeconds: intervalsMs.reduce((sum, interval) => sum + interval, 0) / 1000,
      samples: intervalsMs.length,
      evidence: [
        `${count(connections, "connection")}, a new one every ${seconds(period)}`,
        `jitter of about ${percent(jitter)}`,
        `the server is ${where} the home networks, ${count(ends.clients, "client")} of ${protocol} port ${port} seen`,
        `the client calls ${count(ends.servers, "server")} on this port`,
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
  return { periodMs, spread: (at(0.9) - at(0.1)) / periodMs };
}

function remember(ends: Set<string>, end: string): void {
  if (ends.size < MOST_ENDS) ends.add(end);
}

function seconds(period: number): string {
  return period < 10 ? `${number(period)} s` : duration(period);
}
