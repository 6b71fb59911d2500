// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { DATA_IN_NAMES, isBelow, MANY_NAMES } from "./dns-services.ts";
import { DnsTalks, type Evidence, FAST_MS } from "./dns-talks.ts";
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
  short_subdomains: z
    .int()
    .min(10)
    .default(100)
    .describe(
      "Distinct short names below one domain within 5 minutes that are worth knowing, where nearly all are new and most of what the client asks; ten times as many are a warning.",
    ),
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

/** Clients whose queries are counted. */
const CAPACITY = 2048;
const CLOUDS = new Set(MANY_NAMES);
/** Names of carrier queries may be this short: a tunnel that waits for data sends little but its counter. */
const SHORT_CHARS = 8;
/** Data in answers, fetched by names that only count. */
const FETCHED_BYTES = 8000;

/** Names this short, asked for by address, are data only if they are as random, as new and as many as nothing else. */
const SHORT = { chars: 10, bits: 2.9, novelty: 0.8, shareOfClient: 0.5, grave: 10 };

/** Evidence that is enough, and the setting that says so. */
interface Suspicion extends Evidence {
  readonly setting: "subdomains" | "slow_subdomains" | "short_subdomains";
}

/** Data carried in the names of DNS queries, or in their answers. */
export const dnsTunnel: DetectorDefinition<Settings> = {
  name: "dns_tunnel",
  class: "tunnel",
  help: "One client asks for very many names below one domain that look like data: a DNS tunnel, or data carried out. Sees slow ones by the names of a whole day. Short names are only worth knowing, until they are a thousand.",
  severities: ["info", "warning", "critical"],
  settings,
  quietSeconds: 60,
  create: (own) => new DnsTunnel(own),
};

class DnsTunnel implements Detector {
  readonly #settings: Settings;
  readonly #ignored: ReadonlySet<string>;
  readonly #talks = new DnsTalks();
  /** What each client asks, whatever the domain. */
  readonly #clients = new BoundedMap<RecentSums<"queries">>(CAPACITY);

  constructor(own: Settings) {
    this.#settings = own;
    this.#ignored = new Set(own.ignored_domains);
  }

  evaluate(tick: Tick): Finding[] {
    const findings: Finding[] = [];
    for (const { client, queries } of tick.window.rows.dns_domains) {
      const asked = this.#clients.use(client, () => new RecentSums(["queries"], FAST_MS, 5));
      asked.add(tick.elapsedMs, { queries });
    }
    for (const row of tick.window.rows.dns_domains) {
      if (isBelow(row.domain, this.#ignored)) continue;
      const evidence = this.#weigh(row, tick.elapsedMs);
      if (evidence) findings.push(this.#finding(row, evidence));
    }
    return findings;
  }

  #weigh(row: Row, elapsedMs: number): Suspicion | undefined {
    const { soon, late } = this.#talks.add(row, elapsedMs);
    const isCloud = isBelow(row.domain, CLOUDS);
    if (this.#isTunnel(soon, "subdomains", isCloud)) return { ...soon, setting: "subdomains" };
    if (this.#isTunnel(late, "slow_subdomains", isCloud)) {
      return { ...late, setting: "slow_subdomains" };
    }
    const asked = this.#clients.peek(row.client)?.total("queries") ?? 0;
    if (isCloud || !this.#isShortTunnel(soon, asked)) return undefined;
    return { ...soon, setting: "short_subdomains" };
  }

  #isShortTunnel(
    { subdomains, novelty, entropy, meanChars, queries }: Evidence,
    asked: number,
  ): boolean {
    if (subdomains < this.#settings.short_subdomains || novelty < SHORT.novelty) return false;
    const isMost = queries >= SHORT.shareOfClient * asked;
    return isMost && meanChars >= SHORT.chars && entropy >= SHORT.bits;
  }

  #isTunnel(
    evidence: Evidence,
    setting: "subdomains" | "slow_subdomains",
    isCloud: boolean,
  ): boolean {
    const own = this.#settings;
    const { subdomains, novelty, entropy, meanChars, carrierRatio, down } = evidence;
    if (subdomains < own[setting] || novelty < own.novelty_ratio) return false;
    const carries = carrierRatio >= own.carrier_ratio;
    if (isCloud && !carries) return false;
    if (carries && down >= FETCHED_BYTES && carrierRatio >= 0.5) return true;
    if (entropy < own.entropy_bits) return false;
    return meanChars >= own.name_chars || (carries && meanChars >= SHORT_CHARS);
  }

  #severity({ setting, subdomains }: Suspicion): Finding["severity"] {
    const own = this.#settings;
    if (setting === "short_subdomains") {
      return subdomains >= SHORT.grave * own.short_subdomains ? "warning" : "info";
    }
    const isHuge = setting === "subdomains" && subdomains >= own.critical_subdomains;
    return isHuge ? "critical" : "warning";
  }

  #finding({ client, domain, longestSubdomain }: Row, evidence: Suspicion): Finding {
    const { subdomains, setting, seconds, queries, up, down } = evidence;
    const { meanChars, entropy, carrierRatio, novelty } = evidence;
    return {
      entity: { kind: "pair", key: `${client} ${domain}`, source: client, domain },
      severity: this.#severity(evidence),
      protocol: "dns",
      observed: subdomains,
      expected: 0,
      threshold: { value: this.#settings[setting], setting: `detectors.dns_tunnel.${setting}` },
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

function shortened(domain: string): string {
  return domain.length > 100 ? `${domain.slice(0, 100)}…` : domain;
}
