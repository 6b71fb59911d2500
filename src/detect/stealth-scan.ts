// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { DetectorContext, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { RecentSum } from "./recent-sum.ts";
import { addressFilter } from "./suggestions.ts";
import { count, number } from "./text.ts";

type ProbeRow = TrackerRows["tcp_probes"][number];

const CAPACITY = 4096;
const WINDOW_SECONDS = 60;

const settings = z.strictObject({
  targets: z
    .int()
    .min(2)
    .default(8)
    .describe(
      "Ports or hosts that one source may probe within a minute with TCP packets no connection begins with.",
    ),
  rejected_hosts: z
    .int()
    .min(2)
    .default(40)
    .describe(
      "Hosts that may answer one source with RST to what looks like the middle of a connection: a machine that wakes up goes on with connections its servers have forgotten.",
    ),
});
type Settings = z.infer<typeof settings>;

/** Probes that no connection begins with, made to be overlooked. */
export const stealthScan: DetectorDefinition<Settings> = {
  name: "stealth_scan",
  class: "scan",
  help: "One source probes ports or hosts with TCP packets that begin no connection: FIN, NULL, Xmas, odd flags, or ACKs that are answered with RST.",
  severities: ["warning", "critical"],
  settings,
  quietSeconds: 60,
  create: (own, context) => {
    const sums = new BoundedMap<RecentSum>(CAPACITY);
    return { evaluate: (tick) => evaluate(tick, own, context, sums) };
  },
};

function evaluate(
  tick: Tick,
  own: Settings,
  context: DetectorContext,
  sums: BoundedMap<RecentSum>,
): Finding[] {
  return tick.window.rows.tcp_probes.flatMap((row) => {
    const odd = row.none + row.fin + row.xmas + row.other;
    const probes = sums
      .use(row.source, () => new RecentSum(WINDOW_SECONDS))
      .add(Math.max(odd, row.rejected), tick.elapsedMs);
    const targets = Math.max(row.ports, row.destinations);
    const setting = odd === 0 && row.ports < own.targets ? "rejected_hosts" : "targets";
    if (Math.min(probes, targets) < own[setting]) return [];
    return [finding(row, targets, probes, { setting, value: own[setting] }, context)];
  });
}

function finding(
  row: ProbeRow,
  targets: number,
  probes: number,
  { setting, value }: { readonly setting: keyof Settings; readonly value: number },
  context: DetectorContext,
): Finding {
  const { source, topDestination, topPort } = row;
  const vertical = row.ports >= row.destinations;
  const kind = kindOf(row);
  const where = vertical
    ? `about ${count(row.ports, "port")} of ${topDestination}`
    : `port ${topPort} of about ${count(row.destinations, "host")}`;
  return {
    entity: {
      ...{ kind: "source", key: source, source },
      ...(vertical ? { destination: topDestination } : { port: topPort }),
    },
    severity: context.isHome(source) ? "critical" : "warning",
    protocol: "tcp",
    observed: targets,
    expected: 0,
    threshold: { value, setting: `detectors.stealth_scan.${setting}` },
    windowSeconds: WINDOW_SECONDS,
    samples: probes,
    evidence: [
      `${number(row.none)} without flags, ${number(row.fin)} FIN, ${number(row.xmas)} Xmas, ${number(row.other)} other`,
      `${number(row.rejected)} answered with RST`,
      `about ${count(row.destinations, "host")} and ${count(row.ports, "port")} in the last two minutes`,
    ],
    explanation: `${source} probed ${where} with ${kind} packets that begin no connection: someone looks for open ports and does not want to be seen.`,
    suggestion: {
      wireshark_filter: `${addressFilter("src", source)} && tcp.flags.syn == 0 && tcp.len == 0`,
      promql: "sum by (flag) (rate(nam_tcp_segments_total[1m]))",
    },
  };
}

function kindOf({ none, fin, xmas, other, rejected }: ProbeRow): string {
  const most = Math.max(none, fin, xmas, other);
  if (most === 0 || rejected > 2 * (none + fin + xmas + other)) return "ACK";
  if (most === none) return "NULL";
  if (most === fin) return "FIN";
  return most === xmas ? "Xmas" : "odd";
}
