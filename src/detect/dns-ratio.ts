// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { RecentSums } from "./recent-sums.ts";
import { addressFilter } from "./suggestions.ts";
import { count, percent } from "./text.ts";

const CAPACITY = 2048;
const SPAN_MS = 60_000;
/** How fast a client's usual share follows: an hour of seconds. */
const LEARNING = 1 / 3600;
/** Standard deviations of the lower bound of a share: one in a thousand is above it by chance. */
const CONFIDENCE = 3;

type Row = TrackerRows["dns_hosts"][number];

interface Share {
  readonly name: "nxdomain_ratio" | "txt_ratio";
  readonly help: string;
  readonly floor: number;
  readonly what: string;
  readonly meaning: string;
  readonly filter: string;
  readonly promql: string;
  part(row: Row): number;
  whole(row: Row): number;
}

/** Clients whose answers mostly say that the name does not exist. */
export const nxdomainRatio = definitionOf({
  name: "nxdomain_ratio",
  help: "Most answers to one client say that the name does not exist, far more than usual for it: a typing error in a configuration, a search list, or malware looking for names.",
  floor: 0.6,
  what: "answers say that the name does not exist",
  meaning: "a wrong setting or search list, or a program that guesses names",
  filter: "dns.flags.rcode == 3",
  promql: 'rate(nam_dns_responses_total{rcode="nxdomain"}[1m])',
  part: (row) => row.nxdomain,
  whole: (row) => row.responses,
});

/** Clients that ask mostly for TXT records. */
export const txtRatio = definitionOf({
  name: "txt_ratio",
  help: "One client asks for TXT records far more than usual for it: mail servers do, and so do tunnels and programs that fetch commands through DNS.",
  floor: 0.4,
  what: "queries ask for TXT records",
  meaning: "a mail server that checks senders, or data fetched through DNS",
  filter: "dns.qry.type == 16",
  promql: 'rate(nam_dns_messages_total{qtype="txt"}[1m])',
  part: (row) => row.txtQueries,
  whole: (row) => row.queries,
});

interface Settings {
  ratio: number;
  factor: number;
  minimum: number;
}

function definitionOf(share: Share): DetectorDefinition<Settings> {
  return {
    name: share.name,
    class: "dns",
    help: share.help,
    severities: ["info"],
    settings: z.strictObject({
      ratio: z
        .number()
        .gt(0)
        .max(1)
        .default(share.floor)
        .describe("Share below which it is never told, however unusual it is."),
      factor: z
        .number()
        .min(1)
        .default(3)
        .describe("How many times the client's usual share it must be, once that is known."),
      minimum: z
        .int()
        .min(10)
        .default(50)
        .describe("Messages of the client within a minute that a share takes to mean anything."),
    }),
    quietSeconds: 60,
    alarmsPerWeek: 10,
    create: (own) => new DnsRatio(share, own),
  };
}

interface Client {
  readonly sums: RecentSums<"part" | "whole">;
  usual: number;
}

class DnsRatio implements Detector {
  readonly #share: Share;
  readonly #settings: Settings;
  readonly #clients = new BoundedMap<Client>(CAPACITY);

  constructor(share: Share, own: Settings) {
    this.#share = share;
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    return tick.window.rows.dns_hosts.flatMap((row) => this.#judge(row, tick));
  }

  #judge(row: Row, tick: Tick): Finding[] {
    const share = this.#share;
    const [part, whole] = [share.part(row), share.whole(row)];
    if (whole === 0) return [];
    const client = this.#clients.use(row.host, () => ({
      sums: new RecentSums(["part", "whole"] as const, SPAN_MS, 6),
      usual: 0,
    }));
    client.sums.add(tick.elapsedMs, { part, whole });
    const all = client.sums.total("whole");
    const certain = lowerBound(client.sums.total("part"), all);
    const limit = Math.min(1, Math.max(this.#settings.ratio, this.#settings.factor * client.usual));
    const { usual } = client;
    if (!tick.tainted) client.usual += LEARNING * (part / whole - client.usual);
    if (all < this.#settings.minimum || certain < limit) return [];
    return [this.#finding(row.host, client.sums, { certain, usual })];
  }

  #finding(
    host: string,
    sums: Client["sums"],
    { certain, usual }: { certain: number; usual: number },
  ): Finding {
    const { name, what, meaning, filter, promql } = this.#share;
    const [part, whole] = [sums.total("part"), sums.total("whole")];
    const { ratio } = this.#settings;
    return {
      entity: { kind: "source", key: host, source: host },
      severity: "info",
      protocol: "dns",
      observed: part / whole,
      expected: usual,
      threshold: { value: ratio, setting: `detectors.${name}.ratio` },
      windowSeconds: SPAN_MS / 1000,
      samples: whole,
      evidence: [
        `${count(part, "message")} of ${count(whole, "message")} in the last minute`,
        `at least ${percent(certain)} with three deviations of certainty, usually ${percent(usual)}`,
      ],
      explanation: `${percent(part / whole)} of the DNS messages of ${host} in the last minute are of one kind (${what}): ${meaning}.`,
      suggestion: { wireshark_filter: `${filter} && ${eitherEnd(host)}`, promql },
    };
  }
}

function eitherEnd(host: string): string {
  return `(${addressFilter("src", host)} || ${addressFilter("dst", host)})`;
}

/** Lower end of Wilson's interval for a share ("Probable Inference", JASA 22, 1927). */
function lowerBound(part: number, whole: number): number {
  if (whole === 0) return 0;
  const z2 = CONFIDENCE * CONFIDENCE;
  const share = part / whole;
  const middle = share + z2 / (2 * whole);
  const half = CONFIDENCE * Math.sqrt((share * (1 - share) + z2 / (4 * whole)) / whole);
  return Math.max(0, (middle - half) / (1 + z2 / whole));
}
