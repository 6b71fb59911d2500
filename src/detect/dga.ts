// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { DATA_IN_NAMES, isBelow, MANY_NAMES } from "./dns-services.ts";
import { oddness } from "./odd-names.ts";
import { RecentSums } from "./recent-sums.ts";
import { addressFilter } from "./suggestions.ts";
import { count, number, percent } from "./text.ts";

const ratio = z.number().gt(0).max(1);

const settings = z.strictObject({
  odd_names: z
    .int()
    .min(3)
    .default(10)
    .describe(
      "Domains that do not exist and whose letters look random, asked by one client within 5 to 10 minutes, that are an alarm.",
    ),
  oddness: z
    .number()
    .gt(0)
    .default(4)
    .describe(
      "From which score on letters look random: 2 % of the names that people choose are above 4, and 90 % of random ones.",
    ),
  odd_ratio: ratio
    .default(0.3)
    .describe(
      "Share of random-looking domains among those that do not exist, below which it is no alarm.",
    ),
  nxdomain_ratio: ratio
    .default(0.3)
    .describe(
      "Share of the client's answers that say the name does not exist, below which it is no alarm.",
    ),
  domains: z
    .int()
    .min(10)
    .default(100)
    .describe(
      "Domains that do not exist, whatever their letters, from which on it is worth knowing: some malware makes names of words.",
    ),
});
type Settings = z.infer<typeof settings>;

const CAPACITY = 2048;
const SPAN_MS = 300_000;
/** Names remembered of a client in each of two spans. */
const MOST_NAMES = 512;

class Client {
  readonly answers = new RecentSums(["responses", "nxdomain"] as const, SPAN_MS, 5);
  #present = new Map<string, number>();
  #before = new Map<string, number>();
  #span = 0;

  add(domain: string, elapsedMs: number): void {
    const span = Math.floor(elapsedMs / SPAN_MS);
    if (span !== this.#span) {
      this.#before = span === this.#span + 1 ? this.#present : new Map();
      this.#present = new Map();
      this.#span = span;
    }
    if (this.#present.size >= MOST_NAMES || this.#present.has(domain)) return;
    this.#present.set(domain, oddness(domain.slice(0, domain.indexOf("."))));
  }

  /** Distinct domains, the oddest first. */
  names(): [domain: string, oddness: number][] {
    return [...new Map([...this.#before, ...this.#present])].sort((a, b) => b[1] - a[1]);
  }
}

/** Malware that looks for its master under generated names. */
export const dga: DetectorDefinition<Settings> = {
  name: "dga",
  class: "malware",
  help: "One client asks for many domains that do not exist and whose letters look random, as malware does that computes the names of its masters.",
  severities: ["info", "warning"],
  settings,
  quietSeconds: 60,
  create: (own) => new Dga(own),
};

class Dga implements Detector {
  readonly #settings: Settings;
  readonly #clients = new BoundedMap<Client>(CAPACITY);

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const { rows } = tick.window;
    for (const { host, responses, nxdomain } of rows.dns_hosts) {
      if (responses === 0) continue;
      const client = this.#clients.use(host, () => new Client());
      client.answers.add(tick.elapsedMs, { responses, nxdomain });
    }
    const active = new Set<string>();
    for (const { client: address, domain, nxdomain } of rows.dns_domains) {
      if (nxdomain === 0 || !isCandidate(domain)) continue;
      this.#clients.use(address, () => new Client()).add(domain, tick.elapsedMs);
      active.add(address);
    }
    return [...active].flatMap((address) => this.#judge(address));
  }

  #judge(address: string): Finding[] {
    const own = this.#settings;
    const client = this.#clients.peek(address);
    if (!client) return [];
    const names = client.names();
    const responses = client.answers.total("responses");
    const missing = client.answers.total("nxdomain") / Math.max(1, responses);
    if (missing < own.nxdomain_ratio) return [];
    const odd = names.filter(([, score]) => score >= own.oddness).length;
    const isOdd = odd >= own.odd_names && odd >= own.odd_ratio * names.length;
    if (!isOdd && names.length < own.domains) return [];
    return [finding(address, { names, odd, isOdd, missing, responses }, own)];
  }
}

interface Evidence {
  readonly names: readonly (readonly [domain: string, oddness: number])[];
  readonly odd: number;
  readonly isOdd: boolean;
  readonly missing: number;
  readonly responses: number;
}

function finding(address: string, evidence: Evidence, own: Settings): Finding {
  const { names, odd, isOdd, missing, responses } = evidence;
  const examples = names.slice(0, 4).map(([domain]) => domain);
  const meaning = isOdd
    ? `${count(odd, "of them looks", "of them look")} made by a machine: malware looking for its master does that`
    : "a broken program does that, or malware that makes names of words";
  return {
    entity: { kind: "source", key: address, source: address },
    severity: isOdd ? "warning" : "info",
    protocol: "dns",
    observed: isOdd ? odd : names.length,
    expected: 0,
    threshold: isOdd
      ? { value: own.odd_names, setting: "detectors.dga.odd_names" }
      : { value: own.domains, setting: "detectors.dga.domains" },
    windowSeconds: SPAN_MS / 1000,
    samples: responses,
    evidence: [
      `for example ${examples.join(", ")}`,
      `${number(odd)} of ${count(names.length, "domain")} score ${own.oddness} or more for odd letters`,
      `${percent(missing)} of ${count(responses, "answer")} in 5 minutes said that the name does not exist`,
    ],
    explanation: `${address} asked for ${count(names.length, "domain")} that do not exist, and ${meaning}.`,
    suggestion: {
      wireshark_filter: `dns.flags.rcode == 3 && ${addressFilter("dst", address)}`,
      promql: 'rate(nam_dns_responses_total{rcode="nxdomain"}[1m])',
    },
  };
}

const IGNORED = new Set([...DATA_IN_NAMES, ...MANY_NAMES]);

/** Names of one label are search suffixes left out and probes of browsers; encoded ones have no letters to judge. */
function isCandidate(domain: string): boolean {
  return domain.includes(".") && !domain.startsWith("xn--") && !isBelow(domain, IGNORED);
}
