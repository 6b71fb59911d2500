// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "./detect/detector.ts";
import type { Tallies, TallyEntry } from "./flow/tally.ts";
import type { CellLayout } from "./metrics/cells.ts";
import type { FileRead } from "./replay-messages.ts";
import { type AiReport, aiReport } from "./report-ai.ts";
import { productBuild } from "./util/version.ts";

/** One file of a report. */
export interface FileReport extends FileRead {
  readonly truncated: number;
  readonly malformed: number;
}

interface Volume {
  readonly packets: number;
  readonly bytes: number;
}

interface Counted {
  readonly value: string;
  readonly count: number;
}

/** JSON of `nam replay --report`; docs/cli.md describes every field. */
export interface Report {
  readonly schema: 1;
  readonly version: string;
  readonly files: readonly FileReport[];
  readonly protocols: {
    readonly network: Record<string, Volume>;
    readonly transport: Record<string, Volume>;
    readonly application: Record<string, Volume>;
  };
  readonly flows: { readonly tcp: number; readonly udp: number; readonly other: number };
  readonly dns: {
    readonly queries: number;
    readonly responses: number;
    readonly names: readonly Counted[];
    readonly outcomes: {
      readonly nxdomain: number;
      /** Queries without a response for 5 seconds. */
      readonly timeouts: number;
      readonly repeatedQueries: number;
      readonly unsolicitedResponses: number;
    };
    readonly properties: {
      readonly tcp: number;
      readonly truncated: number;
      readonly edns: number;
    };
  };
  /** Names asked for on the local link. */
  readonly localNames: {
    readonly mdns: readonly Counted[];
    readonly llmnr: readonly Counted[];
    readonly nbns: readonly Counted[];
  };
  readonly tls: {
    readonly clientHellos: number;
    readonly serverHellos: number;
    readonly sni: readonly Counted[];
    readonly ja3: readonly Counted[];
    readonly ja3s: readonly Counted[];
    readonly ja4: readonly Counted[];
  };
  readonly quic: {
    readonly clientHellos: number;
    readonly sni: readonly Counted[];
    readonly ja4: readonly Counted[];
  };
  readonly ssh: { readonly hassh: readonly Counted[]; readonly hasshServer: readonly Counted[] };
  readonly ai: AiReport;
  readonly events: readonly Anomaly[];
  readonly loss: {
    readonly received: number;
    readonly processed: number;
    readonly dropped: Record<string, number>;
  };
}

/** What a replay gathered, ready to be told. */
export interface ReportInput {
  readonly files: readonly FileReport[];
  readonly layout: CellLayout;
  /** Totals of the counter cells. */
  readonly totals: Float64Array;
  readonly tallies: Tallies;
  readonly events: readonly Anomaly[];
  readonly loss: Report["loss"];
  /** Entries of each list; 0 = all. */
  readonly top: number;
}

export function buildReport(input: ReportInput): Report {
  const list = (name: string): Counted[] => input.tallies.sorted(name, input.top).map(counted);
  const count = (metric: string, where: Record<string, string> = {}): number =>
    sum(input.layout, input.totals, metric, where);
  const udpTcp = {
    tcp: count("nam_flows_started_total", { protocol: "tcp" }),
    udp: count("nam_flows_started_total", { protocol: "udp" }),
  };
  return {
    schema: 1,
    version: productBuild().version,
    files: input.files,
    protocols: {
      network: volumes(input, "network"),
      transport: volumes(input, "transport"),
      application: volumes(input, "application"),
    },
    flows: { ...udpTcp, other: count("nam_flows_started_total") - udpTcp.tcp - udpTcp.udp },
    dns: {
      queries: count("nam_dns_messages_total", { kind: "query" }),
      responses: count("nam_dns_messages_total", { kind: "response" }),
      names: list("dns.names"),
      outcomes: {
        nxdomain: count("nam_dns_responses_total", { rcode: "nxdomain" }),
        timeouts: count("nam_dns_timeouts_total"),
        repeatedQueries: count("nam_dns_repeated_queries_total"),
        unsolicitedResponses: count("nam_dns_unsolicited_responses_total"),
      },
      properties: {
        tcp: count("nam_dns_properties_total", { property: "tcp" }),
        truncated: count("nam_dns_properties_total", { property: "truncated" }),
        edns: count("nam_dns_properties_total", { property: "edns" }),
      },
    },
    localNames: {
      mdns: list("mdns.names"),
      llmnr: list("llmnr.names"),
      nbns: list("nbns.names"),
    },
    tls: {
      clientHellos: count("nam_tls_hellos_total", { transport: "tcp" }),
      serverHellos: count("nam_tls_server_hellos_total", { transport: "tcp" }),
      sni: list("tls.sni"),
      ja3: list("tls.ja3"),
      ja3s: list("tls.ja3s"),
      ja4: list("tls.ja4"),
    },
    quic: {
      clientHellos: count("nam_tls_hellos_total", { transport: "quic" }),
      sni: list("quic.sni"),
      ja4: list("quic.ja4"),
    },
    ssh: { hassh: list("ssh.hassh"), hasshServer: list("ssh.hassh_server") },
    ai: aiReport(input.layout, input.totals),
    events: input.events,
    loss: input.loss,
  };
}

function counted([value, count]: TallyEntry): Counted {
  return { value, count };
}

/** Sum of a family's cells that match `where`; 0 for a family that no decoder declares. */
function sum(
  layout: CellLayout,
  totals: Float64Array,
  metric: string,
  where: Record<string, string>,
): number {
  const definition = layout.definition(metric);
  if (!definition) return 0;
  return layout.slots(definition, where).reduce((total, slot) => total + (totals[slot] ?? 0), 0);
}

/** Protocols of a layer that were seen, in the order of the catalogue. */
function volumes({ layout, totals }: ReportInput, layer: string): Record<string, Volume> {
  const packets = layout.definition(`nam_${layer}_packets_total`);
  const seen: Record<string, Volume> = {};
  for (const protocol of packets?.labels?.protocol ?? []) {
    const where = { protocol };
    const volume = {
      packets: sum(layout, totals, `nam_${layer}_packets_total`, where),
      bytes: sum(layout, totals, `nam_${layer}_bytes_total`, where),
    };
    if (volume.packets > 0) seen[protocol] = volume;
  }
  return seen;
}
