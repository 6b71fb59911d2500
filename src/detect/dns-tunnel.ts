// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import type { TrackerRows } from "../flow/window.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { DATA_IN_NAMES, isBelow } from "./dns-services.ts";
import { RecentSums } from "./recent-sums.ts";
import { dnsFilter } from "./suggestions.ts";
import { bytes, count, duration, number, percent } from "./text.ts";

const settings = z.strictObject({
  subdomains: z
    .int()
    .min(10)
    .default(50)
    .describe(
      "Distinct names below one domain, asked by one client within 5 minutes, from which on it may be a tunnel.",
    ),
  critical_subdomains: z
    .int()
    .min(10)
    .default(500)
    .describe("Distinct names within 5 minutes from which on a tunnel is critical."),
  slow_subdomains: z
    .int()
    .min(10)
    .default(200)
    .describe("Distinct names within a day from which on a slow trickle may be a tunnel."),
  name_chars: z
    .number()
    .min(4)
    .default(24)
    .describe("Mean characters in front of the domain from which on names can carry data."),
  carrier_ratio: z
    .number()
    .gt(0)
    .max(1)
    .default(0.3)
    .describe(
      "Share of TXT, NULL, CNAME, MX and private queries from which on shorter names count, too.",
    ),
  novelty_ratio: z
    .number()
    .gt(0)
    .max(1)
    .default(0.4)
    .describe(
      "Share of queries that ask for a name not asked before, below which it is no tunnel: data does not repeat.",
    ),
  entropy_bits: z
    .number()
    .min(0)
    .default(2.8)
    .describe("Mean Shannon entropy of the names' characters below which it is no tunnel."),
  ignored_domains: z
    .array(z.string().min(1))
    .default([...DATA_IN_NAMES])
    .describe("Domains whose names carry data by design; reverse look-ups are always left out."),
});
type Settings = z.infer<typeof settings>;
type Row = TrackerRows["dns_domains"][number];

const CAPACITY = 8192;
const FAST_MS = 300_000;
const SLOW_MS = 24 * 3_600_000;
/** Names of carrier queries may be this short: a tunnel that waits for data sends little but its counter. */
const SHORT_CHARS = 8;
/** Data in answers, fetched by names that only count. */
const FETCHED_BYTES = 8000;
const SUMS = ["queries", "chars", "bits", "carriers", "up", "down"] as const;

interface Talk {
  readonly fast: RecentSums<(typeof SUMS)[number]>;
  readonly slow: RecentSums<(typeof SUMS)[number]>;
}

/** What one client asked about one domain within a span. */
interface Evidence {
  readonly subdomains: number;
  readonly limit: number;
  readonly setting: "subdomains" | "slow_subdomains";
  readonly seconds: number;
  readonly queries: number;
  readonly meanChars: number;
  readonly entropy: number;
  readonly carrierRatio: number;
  readonly novelty: number;
  readonly up: number;
  readonly down: number;
}

/** Data carried in the names of DNS queries, or in their answers. */
export const dnsTunnel: DetectorDefinition<Settings> = {
  name: "dns_tunnel",
  class: "tunnel",
  help: "One client asks for very many names below one domain that look like data: a DNS tunnel, or data carried out. Sees slow ones by the names of a whole day.",
  severities: ["warning", "critical"],
  settings,
  quietSeconds: 60,
  create: (own) => new DnsTunnel(own),
};

class DnsTunnel implements Detector {
  readonly #settings: Settings;
  readonly #ignored: ReadonlySet<string>;
  readonly #talks = new BoundedMap<Talk>(CAPACITY);

  constructor(own: Settings) {
    this.#settings = own;
    this.#ignored = new Set(own.ignored_domains);
  }

  evaluate(tick: Tick): Finding[] {
    const findings: Finding[] = [];
    for (const row of tick.window.rows.dns_domains) {
      if (isBelow(row.domain, this.#ignored)) continue;
      const evidence = this.#weigh(row, tick.elapsedMs);
      if (evidence) findings.push(this.#finding(row, evidence));
    }
    return findings;
  }

  #weigh(row: Row, elapsedMs: number): Evidence | undefined {
    const { fast, slow } = this.#talks.use(`${row.client} ${row.domain}`, () => ({
      fast: new RecentSums(SUMS, FAST_MS, 5),
      slow: new RecentSums(SUMS, SLOW_MS, 12),
    }));
    const amounts = {
      queries: row.queries,
      chars: row.subdomainChars,
      bits: row.entropyBits,
      carriers: row.carrierQueries,
      up: row.queryBytes,
      down: row.responseBytes,
    };
    fast.add(elapsedMs, amounts);
    slow.add(elapsedMs, amounts);
    const own = this.#settings;
    const soon = evidenceOf(fast, row.subdomains, "subdomains", own, FAST_MS);
    if (this.#isTunnel(soon)) return soon;
    const late = evidenceOf(slow, row.allSubdomains, "slow_subdomains", own, SLOW_MS);
    return this.#isTunnel(late) ? late : undefined;
  }

  #isTunnel(evidence: Evidence): boolean {
    const own = this.#settings;
    const { subdomains, limit, novelty, entropy, meanChars, carrierRatio, down } = evidence;
    if (subdomains < limit || novelty < own.novelty_ratio) return false;
    const carries = carrierRatio >= own.carrier_ratio;
    if (carries && down >= FETCHED_BYTES && carrierRatio >= 0.5) return true;
    if (entropy < own.entropy_bits) return false;
    return meanChars >= own.name_chars || (carries && meanChars >= SHORT_CHARS);
  }

  #finding({ client, domain, longestSubdomain }: Row, evidence: Evidence): Finding {
    const { subdomains, limit, setting, seconds, queries, up, down } = evidence;
    const { meanChars, entropy, carrierRatio, novelty } = evidence;
    const isHuge = setting === "subdomains" && subdomains >= this.#settings.critical_subdomains;
    return {
      entity: { kind: "pair", key: `${client} ${domain}`, source: client, domain },
      severity: isHuge ? "critical" : "warning",
      protocol: "dns",
      observed: subdomains,
      expected: 0,
      threshold: { value: limit, setting: `detectors.dns_tunnel.${setting}` },
      windowSeconds: seconds,
      samples: queries,
      evidence: [
        `about ${count(subdomains, "distinct name")} in ${count(queries, "query", "queries")} (${percent(novelty)} new)`,
        `${number(meanChars)} characters in front of the domain on average, now up to ${number(longestSubdomain)}`,
        `${number(entropy)} bits of entropy a character`,
        `${percent(carrierRatio)} of the queries for TXT, NULL, CNAME, MX or private types`,
        `${bytes(up)} asked, ${bytes(down)} answered`,
      ],
      explanation: `${client} asked for about ${count(subdomains, "different name")} below ${shortened(domain)} within ${duration(seconds)}, and they look like data: someone carries data or a connection through DNS.`,
      suggestion: {
        wireshark_filter: dnsFilter(client, domain),
        promql: 'sum(rate(nam_application_packets_total{protocol="dns"}[1m]))',
      },
    };
  }
}

function evidenceOf(
  sums: Talk["fast"],
  subdomains: number,
  setting: Evidence["setting"],
  own: Settings,
  spanMs: number,
): Evidence {
  const queries = sums.total("queries");
  const some = Math.max(1, queries);
  return {
    subdomains: Math.min(subdomains, queries),
    limit: own[setting],
    setting,
    seconds: spanMs / 1000,
    queries,
    meanChars: sums.total("chars") / some,
    entropy: sums.total("bits") / some,
    carrierRatio: sums.total("carriers") / some,
    novelty: Math.min(1, subdomains / some),
    up: sums.total("up"),
    down: sums.total("down"),
  };
}

function shortened(domain: string): string {
  return domain.length > 100 ? `${domain.slice(0, 100)}…` : domain;
}
