// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import type { MetricDefinition } from "../../metrics/metric.ts";
import { f64 } from "../../util/typed.ts";
import { DnsDomainTable } from "../dns-domain-table.ts";
import { type DnsMessage, dnsFactsOf } from "../dns-facts.ts";
import { DnsLabels } from "../dns-labels.ts";
import { addFields, greaterFields } from "../row-merge.ts";
import type { EntityTable } from "../sketch/entity-table.ts";
import { estimateFading, FADING_BYTES } from "../sketch/fading-distinct.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/**
 * What one client asked about one registrable domain in a window: evidence of tunnels, whose data is in the
 * subdomains, and of generated domains, which mostly do not exist.
 */
export interface DnsDomainRow {
  readonly client: string;
  /** Registrable domain by the public suffix list (`b.co.uk`), or the whole name where it has none; escaped. */
  readonly domain: string;
  readonly queries: number;
  /** Queries of the types that carry data: TXT, NULL, CNAME, MX, and private ones (RFC 6895 §3.1). */
  readonly carrierQueries: number;
  /** Bytes of its messages, without headers. */
  readonly queryBytes: number;
  /** Sum over the queries of the subdomain's characters, dots left out; over `queries` it is the mean. */
  readonly subdomainChars: number;
  /** Sum over the queries of the Shannon entropy of those characters, in bits; over `queries` it is the mean. */
  readonly entropyBits: number;
  /** The longest subdomain, in characters. */
  readonly longestSubdomain: number;
  /** Estimate of the distinct subdomains of the last 5 to 10 minutes. */
  readonly subdomains: number;
  /** Estimate of those since the client began to ask about the domain, without a break of half an hour. */
  readonly allSubdomains: number;
  readonly responses: number;
  readonly responseBytes: number;
  readonly largestResponse: number;
  readonly nxdomain: number;
  /** First and last message, milliseconds on the sensor's own clock. */
  readonly firstMs: number;
  readonly lastMs: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly dns_domains: readonly DnsDomainRow[];
  }
}

const CAPACITY = 8192;
const ROW_LIMIT = 512;
const IDLE_MS = 30 * 60_000;
const SPAN_MS = 5 * 60_000;
const NXDOMAIN = 3;
const Type = { CNAME: 5, NULL: 10, MX: 15, TXT: 16, FIRST_PRIVATE: 65_280, LAST_PRIVATE: 65_534 };

/** Words of a row. Entropy is kept in thousandths of a bit. */
const QUERIES = 0;
const CARRIER = 1;
const QUERY_BYTES = 2;
const CHARS = 3;
const ENTROPY = 4;
const LONGEST = 5;
const RESPONSES = 6;
const RESPONSE_BYTES = 7;
const LARGEST = 8;
const NX = 9;
const WINDOW_WORDS = 10;
const ENTROPY_UNITS = 1000;
/** A largest value is shown for so long that no scrape misses it. */
const SHOWN_MS = 60_000;

const uniqueLabelBytes: MetricDefinition = {
  name: "nam_dns_unique_label_bytes_max",
  help: "Estimated bytes of all distinct names below one domain that one host asked for within the last 5 to 10 minutes, without the domain: the most of any host and domain in the last minute. Tunnels have thousands.",
  type: "gauge",
};

class DnsDomains implements Tracker<DnsDomainRow> {
  readonly #domains: DnsDomainTable;
  readonly #table: EntityTable;
  readonly #labels = new DnsLabels();
  readonly #levels: Float64Array;
  readonly #mostAt: number = 0;
  #mostSinceMs = 0;

  constructor(context: TrackerContext) {
    this.#levels = context.levels;
    this.#mostAt = context.levelBase(uniqueLabelBytes);
    this.#domains = new DnsDomainTable(
      {
        ...{ name: "dns domains", capacity: CAPACITY, idleMs: IDLE_MS, ownerWords: 4 },
        ...{ windowWords: WINDOW_WORDS, sketches: 1, spanMs: SPAN_MS, lifelong: true },
      },
      context,
    );
    this.#table = this.#domains.entities;
  }

  onPacket(packet: Packet, timeMs: number): void {
    const dns = dnsFactsOf(packet);
    if (dns === undefined) return;
    for (let i = 0; i < dns.count; i++) {
      const message = dns.messages[i] as DnsMessage;
      if (message.name.length === 0) continue;
      const domainAt = dns.domainAt(message);
      this.#setClient(packet, message.isResponse);
      const slot = this.#domains.claim(message, domainAt, timeMs);
      if (message.isResponse) this.#countResponse(slot, message);
      else this.#countQuery(slot, message, domainAt);
    }
  }

  close(timeMs: number): DnsDomainRow[] {
    const table = this.#table;
    const score = (slot: number): number =>
      weigh(table.value(slot, NX), table.value(slot, CHARS), table.value(slot, QUERIES));
    const found = table.best(ROW_LIMIT, score).map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    this.#show(
      found.reduce((most, row) => Math.max(most, uniqueBytesOf(row)), 0),
      timeMs,
    );
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #show(most: number, timeMs: number): void {
    if (most < f64(this.#levels, this.#mostAt) && timeMs - this.#mostSinceMs < SHOWN_MS) return;
    this.#levels[this.#mostAt] = most;
    this.#mostSinceMs = timeMs;
  }

  #setClient(packet: Packet, isResponse: boolean): void {
    const { key } = this.#table;
    key[0] = isResponse ? packet.destination0 : packet.source0;
    key[1] = isResponse ? packet.destination1 : packet.source1;
    key[2] = isResponse ? packet.destination2 : packet.source2;
    key[3] = isResponse ? packet.destination3 : packet.source3;
  }

  #countQuery(slot: number, message: DnsMessage, domainAt: number): void {
    const table = this.#table;
    const labels = this.#labels;
    table.increment(slot, QUERIES);
    table.add(slot, QUERY_BYTES, message.bytes);
    if (isCarrier(message.queryType)) table.increment(slot, CARRIER);
    if (domainAt === 0) return;
    labels.measure(message.name.bytes, domainAt);
    table.add(slot, CHARS, labels.length);
    table.add(slot, ENTROPY, Math.round(labels.entropy * ENTROPY_UNITS));
    table.raise(slot, LONGEST, labels.length);
    // Who has sent much data is kept longest.
    table.weigh(slot, labels.length);
    this.#domains.observeSubdomain(slot, message, domainAt);
  }

  #countResponse(slot: number, message: DnsMessage): void {
    const table = this.#table;
    table.increment(slot, RESPONSES);
    table.add(slot, RESPONSE_BYTES, message.bytes);
    table.raise(slot, LARGEST, message.bytes);
    if (message.rcode === NXDOMAIN) table.increment(slot, NX);
  }

  #describe(slot: number): DnsDomainRow {
    const table = this.#table;
    return {
      client: table.address(slot),
      domain: this.#domains.domain(slot),
      queries: table.value(slot, QUERIES),
      carrierQueries: table.value(slot, CARRIER),
      queryBytes: table.value(slot, QUERY_BYTES),
      subdomainChars: table.value(slot, CHARS),
      entropyBits: table.value(slot, ENTROPY) / ENTROPY_UNITS,
      longestSubdomain: table.value(slot, LONGEST),
      subdomains: estimateFading(table.sketches, table.sketch(slot)),
      allSubdomains: estimateFading(table.sketches, table.sketch(slot) + FADING_BYTES),
      responses: table.value(slot, RESPONSES),
      responseBytes: table.value(slot, RESPONSE_BYTES),
      largestResponse: table.value(slot, LARGEST),
      nxdomain: table.value(slot, NX),
      firstMs: table.firstMs(slot),
      lastMs: table.lastMs(slot),
    };
  }
}

/** The mean of the window stands for that of all. */
function uniqueBytesOf({ subdomains, subdomainChars, queries }: DnsDomainRow): number {
  return queries === 0 ? 0 : Math.round((subdomains * subdomainChars) / queries);
}

function isCarrier(type: number): boolean {
  return (
    type === Type.TXT ||
    type === Type.NULL ||
    type === Type.CNAME ||
    type === Type.MX ||
    (type >= Type.FIRST_PRIVATE && type <= Type.LAST_PRIVATE)
  );
}

/** Order of rows: most names that do not exist or data in subdomains, then most queries. */
function weigh(nxdomain: number, chars: number, queries: number): number {
  return (nxdomain * 64 + chars) * 4096 + Math.min(queries, 4094) + 1;
}

const SUMS = [
  ...(["queries", "carrierQueries", "queryBytes", "subdomainChars", "entropyBits"] as const),
  ...(["responses", "responseBytes", "nxdomain"] as const),
] as const;

/** What each client asks about each registrable domain: evidence of DNS tunnels and generated domains. */
export const dnsDomains: TrackerDefinition<"dns_domains"> = {
  name: "dns_domains",
  help: "what each client asks about each registrable domain",
  capacity: CAPACITY,
  application: "dns",
  levels: [uniqueLabelBytes],
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.client} ${row.domain}`,
    weight: (row) => weigh(row.nxdomain, row.subdomainChars, row.queries),
    merge: (earlier, later) => ({
      ...later,
      ...addFields(earlier, later, SUMS),
      ...greaterFields(earlier, later, ["longestSubdomain", "subdomains", "allSubdomains"]),
      ...greaterFields(earlier, later, ["largestResponse", "lastMs"]),
      firstMs: Math.min(earlier.firstMs, later.firstMs),
    }),
  },
  create: (context) => new DnsDomains(context),
};
