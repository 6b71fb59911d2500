// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { DetectorContext, DetectorDefinition, Finding, Tick } from "./detector.ts";
import type { ContactRow } from "./scan-source.ts";
import { addressFilter } from "./suggestions.ts";
import { count, duration, endpoint, number } from "./text.ts";

const CAPACITY = 4096;
/** Targets of one source that are remembered. */
const TARGETS = 128;
/** More contacts than this in one tick are not slow: port_scan and host_sweep see them. */
const SLOW_CONTACTS = 2;
/** A scanner's targets share a host or a port; those of peer-to-peer share neither. */
const SPREAD = 3;

const settings = z.strictObject({
  targets: z
    .int()
    .min(3)
    .default(12)
    .describe("Ports or hosts that one source may try in vain, one now and then, within a day."),
  success_ratio: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe("Share of a source's slow contacts that succeed, from which on it is harmless."),
  hours: z.number().gt(0).default(24).describe("How long a failed contact is remembered."),
  minutes: z
    .number()
    .min(0)
    .default(5)
    .describe("Least time between the first and the last failed contact: less is not slow."),
});
type Settings = z.infer<typeof settings>;

interface Source {
  /** Failed targets and when each failed. */
  readonly failed: Map<
    string,
    { readonly timeMs: number; readonly host: string; readonly port: number }
  >;
  successes: number;
  protocol: string;
}

/** Scans of a few attempts an hour, which stay below every rate. */
export const slowScan: DetectorDefinition<Settings> = {
  name: "slow_scan",
  class: "scan",
  help: "One source tries one port or host now and then, over minutes to a day, and nearly all attempts fail.",
  severities: ["warning"],
  settings,
  quietSeconds: 60,
  create: (own, context) => {
    const sources = new BoundedMap<Source>(CAPACITY);
    return { evaluate: (tick) => evaluate(tick, own, context, sources) };
  },
};

function evaluate(
  tick: Tick,
  own: Settings,
  context: DetectorContext,
  sources: BoundedMap<Source>,
): Finding[] {
  return tick.window.rows.contacts.flatMap((row) => {
    const outcomes = row.successes + row.failures;
    if (outcomes === 0 || outcomes > SLOW_CONTACTS || row.contacts > SLOW_CONTACTS) return [];
    if (row.topDestination === "") return [];
    const source = sources.use(row.source, () => ({
      failed: new Map(),
      successes: 0,
      protocol: row.protocol,
    }));
    source.successes += row.successes;
    if (row.failures === 0) return [];
    note(source, row, tick.elapsedMs, own.hours);
    return judge(source, row, tick.elapsedMs, own, context.isHome(row.source));
  });
}

function note(source: Source, row: ContactRow, elapsedMs: number, hours: number): void {
  const { failed } = source;
  const key = endpoint(row.topDestination, row.topPort);
  failed.delete(key);
  failed.set(key, { timeMs: elapsedMs, host: row.topDestination, port: row.topPort });
  for (const [target, { timeMs }] of failed) {
    if (failed.size <= TARGETS && timeMs > elapsedMs - hours * 3_600_000) break;
    failed.delete(target);
  }
  if (failed.size === 1) source.successes = Math.min(source.successes, 1);
}

function judge(
  source: Source,
  row: ContactRow,
  elapsedMs: number,
  own: Settings,
  home: boolean,
): Finding[] {
  const targets = [...source.failed.values()];
  const hosts = new Set(targets.map(({ host }) => host)).size;
  const ports = new Set(targets.map(({ port }) => port)).size;
  const seconds = (elapsedMs - (targets[0]?.timeMs ?? elapsedMs)) / 1000;
  const concentrated = targets.length >= SPREAD * Math.min(hosts, ports);
  if (targets.length < own.targets || seconds < own.minutes * 60 || !concentrated) return [];
  if (source.successes >= own.success_ratio * (targets.length + source.successes)) return [];
  const vertical = ports >= hosts;
  const tried = vertical
    ? `${count(ports, "port")} of ${row.topDestination}`
    : `port ${row.topPort} of ${count(hosts, "host")}`;
  return [
    {
      entity: {
        ...{ kind: "source", key: row.source, source: row.source },
        destination: row.topDestination,
      },
      severity: "warning",
      protocol: row.protocol,
      observed: targets.length,
      expected: source.successes,
      threshold: { value: own.targets, setting: "detectors.slow_scan.targets" },
      windowSeconds: seconds,
      samples: targets.length + source.successes,
      evidence: [
        `${count(targets.length, "failed target")} in ${duration(seconds)}, ${number(source.successes)} contacts succeeded`,
        `${count(hosts, "host")}, ${count(ports, "port")}`,
        `the source is ${home ? "inside" : "outside"} the home networks`,
      ],
      explanation: `${row.source} tried ${tried}, one now and then over ${duration(seconds)}, and nearly all failed: a slow scan, made to stay unnoticed.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", row.source)} && ${row.protocol}`,
        promql: 'increase(nam_tcp_handshakes_total{outcome=~"refused|unanswered"}[6h])',
      },
    },
  ];
}
