// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { DnsDomainTable } from "../dns-domain-table.ts";
import { type DnsMessage, dnsFactsOf } from "../dns-facts.ts";
import { hashAddress } from "../hash.ts";
import { addFields, greaterFields } from "../row-merge.ts";
import type { EntityTable } from "../sketch/entity-table.ts";
import { estimateFading, FADING_BYTES, observeFading } from "../sketch/fading-distinct.ts";
import { candidateAddress, candidateVotes, MAJORITY_WORDS, vote } from "../sketch/majority.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/**
 * What all clients together asked about one registrable domain in a window. Many distinct subdomains that do not
 * exist, from many clients, are a random-subdomain flood against the domain's servers.
 */
export interface DnsZoneRow {
  /** Registrable domain by the public suffix list, or the whole name where it has none; escaped. */
  readonly domain: string;
  readonly queries: number;
  readonly responses: number;
  /** Responses that said NXDOMAIN, and SERVFAIL, which resolvers say when the domain's servers are overwhelmed. */
  readonly nxdomain: number;
  readonly servfail: number;
  /** Estimates of the distinct subdomains and clients of the last 1 to 2 minutes. */
  readonly subdomains: number;
  readonly clients: number;
  /** The server that most of the queries went to, or one of many, and how many did at least. */
  readonly topServer: string;
  readonly topServerQueries: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly dns_zones: readonly DnsZoneRow[];
  }
}

const CAPACITY = 4096;
const ROW_LIMIT = 128;
const IDLE_MS = 10 * 60_000;
const SPAN_MS = 60_000;
const SERVFAIL = 2;
const NXDOMAIN = 3;

/** Words of a row. */
const QUERIES = 0;
const RESPONSES = 1;
const NX = 2;
const FAILED = 3;
const SERVER = 4;
const WINDOW_WORDS = SERVER + MAJORITY_WORDS;
/** Bytes of an entity. */
const SUBDOMAINS = 0;
const CLIENTS = FADING_BYTES;

class DnsZones implements Tracker<DnsZoneRow> {
  readonly #domains: DnsDomainTable;
  readonly #table: EntityTable;

  constructor(context: TrackerContext) {
    this.#domains = new DnsDomainTable(
      {
        ...{ name: "dns zones", capacity: CAPACITY, idleMs: IDLE_MS, ownerWords: 0 },
        ...{ windowWords: WINDOW_WORDS, sketches: 2, spanMs: SPAN_MS },
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
      const slot = this.#domains.claim(message, domainAt, timeMs);
      if (message.isResponse) this.#countResponse(slot, message);
      else this.#countQuery(slot, packet, message, domainAt);
    }
  }

  close(timeMs: number): DnsZoneRow[] {
    const table = this.#table;
    const score = (slot: number): number =>
      weigh(table.value(slot, NX) + table.value(slot, FAILED), table.value(slot, QUERIES));
    const found = table.best(ROW_LIMIT, score).map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #countQuery(slot: number, packet: Packet, message: DnsMessage, domainAt: number): void {
    const table = this.#table;
    const { source0, source1, source2, source3 } = packet;
    const { destination0, destination1, destination2, destination3 } = packet;
    table.increment(slot, QUERIES);
    if (domainAt > 0) this.#domains.observeSubdomain(slot, message, domainAt);
    const client = hashAddress(source0, source1, source2, source3, this.#domains.hashKey);
    observeFading(table.sketches, table.sketch(slot) + CLIENTS, client);
    const server = table.row(slot) + SERVER;
    vote(table.rows, server, destination0, destination1, destination2, destination3);
  }

  #countResponse(slot: number, message: DnsMessage): void {
    const table = this.#table;
    table.increment(slot, RESPONSES);
    if (message.rcode === NXDOMAIN) table.increment(slot, NX);
    if (message.rcode === SERVFAIL) table.increment(slot, FAILED);
  }

  #describe(slot: number): DnsZoneRow {
    const table = this.#table;
    const sketch = table.sketch(slot);
    const at = table.row(slot) + SERVER;
    const topServerQueries = candidateVotes(table.rows, at);
    return {
      domain: this.#domains.domain(slot),
      queries: table.value(slot, QUERIES),
      responses: table.value(slot, RESPONSES),
      nxdomain: table.value(slot, NX),
      servfail: table.value(slot, FAILED),
      subdomains: estimateFading(table.sketches, sketch + SUBDOMAINS),
      clients: estimateFading(table.sketches, sketch + CLIENTS),
      topServer: topServerQueries > 0 ? candidateAddress(table.rows, at) : "",
      topServerQueries,
    };
  }
}

/** Order of rows: most failures first, then most queries. */
function weigh(failures: number, queries: number): number {
  return failures * 65_536 + Math.min(queries, 65_534) + 1;
}

/** What all clients ask about each registrable domain: evidence of random-subdomain floods. */
export const dnsZones: TrackerDefinition<"dns_zones"> = {
  name: "dns_zones",
  help: "what all clients ask about each registrable domain",
  capacity: CAPACITY,
  application: "dns",
  rows: {
    limit: ROW_LIMIT,
    key: (row) => row.domain,
    weight: (row) => weigh(row.nxdomain + row.servfail, row.queries),
    merge(earlier, later) {
      const top = later.topServerQueries > earlier.topServerQueries ? later : earlier;
      const isSameTop = earlier.topServer === later.topServer;
      return {
        ...top,
        ...addFields(earlier, later, ["queries", "responses", "nxdomain", "servfail"]),
        ...greaterFields(earlier, later, ["subdomains", "clients"]),
        topServerQueries: isSameTop
          ? earlier.topServerQueries + later.topServerQueries
          : top.topServerQueries,
      };
    },
  },
  create: (context) => new DnsZones(context),
};
