// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { observe } from "../../metrics/cells.ts";
import type { MetricDefinition } from "../../metrics/metric.ts";
import { add } from "../../util/typed.ts";
import { type DnsFacts, type DnsMessage, dnsFactsOf } from "../dns-facts.ts";
import { COUNTS, Column, type Count, type DnsHostRow, weigh } from "../dns-host-row.ts";
import { DnsTransactions, emptyEnds, Match, setEnds } from "../dns-transactions.ts";
import { hashAddress, hashBytes, hashKey } from "../hash.ts";
import { addFields, greaterFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import {
  estimateFading,
  FADING_BYTES,
  isSpanOver,
  observeFading,
  turnFading,
} from "../sketch/fading-distinct.ts";
import { candidateAddress, candidateVotes, MAJORITY_WORDS, vote } from "../sketch/majority.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

declare module "../window.ts" {
  interface TrackerRows {
    readonly dns_hosts: readonly DnsHostRow[];
  }
}

// Imported objects are looked up each time they are named; constants of the file are not.
const At = Column;
const CAPACITY = 4096;
const ROW_LIMIT = 256;
const IDLE_MS = 30 * 60_000;
const SPAN_MS = 5 * 60_000;
const SERVFAIL = 2;
const NXDOMAIN = 3;
const TXT = 16;
const RRSIG = 46;
const DNSKEY = 48;
const ANY = 255;

const LARGEST = COUNTS.length;
const CLIENT = LARGEST + 1;
const WINDOW_WORDS = CLIENT + MAJORITY_WORDS;
const SPAN_START = WINDOW_WORDS;
/** Bytes of an entity. */
const DOMAINS = 0;
const CLIENTS = FADING_BYTES;

const LATENCY_BUCKETS = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
const latency: MetricDefinition = {
  name: "nam_dns_response_seconds",
  help: "Time from a DNS query, the first one where it was repeated, to its response as seen here.",
  type: "histogram",
  buckets: LATENCY_BUCKETS,
};
const timeouts: MetricDefinition = {
  name: "nam_dns_timeouts_total",
  help: "DNS queries without a response for 5 seconds.",
  type: "counter",
};
const unsolicited: MetricDefinition = {
  name: "nam_dns_unsolicited_responses_total",
  help: "DNS responses to no query that was seen in the 30 seconds before.",
  type: "counter",
};
const repeated: MetricDefinition = {
  name: "nam_dns_repeated_queries_total",
  help: "DNS queries sent again, with the same id and ports, before a response came.",
  type: "counter",
};

class DnsHosts implements Tracker<DnsHostRow> {
  readonly #table: EntityTable;
  readonly #transactions: DnsTransactions;
  readonly #counters: Float64Array;
  readonly #key: number = 0;
  readonly #latencyCells: number = 0;
  readonly #timeoutCell: number = 0;
  readonly #unsolicitedCell: number = 0;
  readonly #repeatedCell: number = 0;
  readonly #ends = emptyEnds();
  #timeMs = 0;

  constructor({ hashSeed, evicted, counters, base }: TrackerContext) {
    this.#counters = counters;
    this.#key = hashKey(hashSeed, "dns hosts");
    this.#latencyCells = base(latency);
    this.#timeoutCell = base(timeouts);
    this.#unsolicitedCell = base(unsolicited);
    this.#repeatedCell = base(repeated);
    this.#transactions = new DnsTransactions(hashSeed, {
      evicted,
      timedOut: () => this.#countTimeout(),
    });
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted, keyWords: 4 },
      ...{ windowWords: WINDOW_WORDS, lifeWords: 1, sketchBytes: 2 * FADING_BYTES },
    });
  }

  onPacket(packet: Packet, timeMs: number): void {
    const dns = dnsFactsOf(packet);
    if (dns === undefined) return;
    this.#timeMs = timeMs;
    for (let i = 0; i < dns.count; i++) {
      const message = dns.messages[i] as DnsMessage;
      setEnds(this.#ends, packet, message.isResponse);
      if (message.isResponse) this.#respond(packet, message);
      else this.#ask(packet, message, dns);
    }
  }

  close(timeMs: number): DnsHostRow[] {
    this.#timeMs = timeMs;
    this.#transactions.settle(timeMs, this.#ends);
    const table = this.#table;
    const found = table.best(ROW_LIMIT, (slot) => this.#score(slot));
    const rows = found.map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    return rows;
  }

  size(): number {
    return this.#table.size;
  }

  #ask(packet: Packet, message: DnsMessage, dns: DnsFacts): void {
    const table = this.#table;
    const isRepeated = this.#transactions.ask(packet, message, this.#ends, this.#timeMs);
    if (isRepeated) add(this.#counters, this.#repeatedCell, 1);
    const client = this.#claimClient();
    table.increment(client, At.queries);
    table.add(client, At.queryBytes, message.bytes);
    if (message.queryType === TXT) table.increment(client, At.txtQueries);
    if (isRepeated) table.increment(client, At.repeats);
    const { bytes, length } = message.name;
    const domain = hashBytes(bytes, dns.domainAt(message), length, this.#key);
    observeFading(table.sketches, table.sketch(client) + DOMAINS, domain);

    const server = this.#claimServer();
    table.increment(server, At.servedQueries);
    table.add(server, At.servedQueryBytes, message.bytes);
    if (isAmplifying(message.queryType)) table.increment(server, At.servedAmplifying);
    const { client0, client1, client2, client3 } = this.#ends;
    const asker = hashAddress(client0, client1, client2, client3, this.#key);
    observeFading(table.sketches, table.sketch(server) + CLIENTS, asker);
    vote(table.rows, table.row(server) + CLIENT, client0, client1, client2, client3);
  }

  #respond(packet: Packet, message: DnsMessage): void {
    const table = this.#table;
    const match = this.#transactions.answer(packet, message, this.#ends, this.#timeMs);
    const client = this.#claimClient();
    table.increment(client, At.responses);
    table.add(client, At.responseBytes, message.bytes);
    if (message.rcode === NXDOMAIN) table.increment(client, At.nxdomain);
    if (message.rcode === SERVFAIL) table.increment(client, At.servfail);
    if (match === Match.ANSWER) {
      const { latency: seconds } = this.#transactions;
      observe(this.#counters, this.#latencyCells, LATENCY_BUCKETS, seconds);
    } else if (match === Match.UNSOLICITED) {
      add(this.#counters, this.#unsolicitedCell, 1);
      table.increment(client, At.unsolicited);
      table.add(client, At.unsolicitedBytes, message.bytes);
    }
    const server = this.#claimServer();
    table.increment(server, At.servedResponses);
    table.add(server, At.servedResponseBytes, message.bytes);
    table.raise(server, LARGEST, message.bytes);
  }

  #countTimeout(): void {
    add(this.#counters, this.#timeoutCell, 1);
    this.#table.increment(this.#claimClient(), At.timeouts);
    this.#table.increment(this.#claimServer(), At.servedTimeouts);
  }

  #claimClient(): number {
    const { client0, client1, client2, client3 } = this.#ends;
    return this.#claim(client0, client1, client2, client3);
  }

  #claimServer(): number {
    const { server0, server1, server2, server3 } = this.#ends;
    return this.#claim(server0, server1, server2, server3);
  }

  #claim(word0: number, word1: number, word2: number, word3: number): number {
    const table = this.#table;
    table.key[0] = word0;
    table.key[1] = word1;
    table.key[2] = word2;
    table.key[3] = word3;
    const slot = table.claim(this.#timeMs);
    table.weigh(slot, 1);
    const spanAt = table.row(slot) + SPAN_START;
    if (isSpanOver(table.rows, spanAt, table.isNew, this.#timeMs, SPAN_MS)) {
      turnFading(table.sketches, table.sketch(slot) + DOMAINS);
      turnFading(table.sketches, table.sketch(slot) + CLIENTS);
    }
    return slot;
  }

  #score(slot: number): number {
    const value = (name: Count): number => this.#table.value(slot, At[name]);
    return weigh(value);
  }

  #describe(slot: number): DnsHostRow {
    const table = this.#table;
    const at = table.row(slot) + CLIENT;
    const topClientQueries = candidateVotes(table.rows, at);
    return {
      host: table.address(slot),
      ...table.named(slot, COUNTS),
      domains: estimateFading(table.sketches, table.sketch(slot) + DOMAINS),
      servedLargest: table.value(slot, LARGEST),
      clients: estimateFading(table.sketches, table.sketch(slot) + CLIENTS),
      topClient: topClientQueries > 0 ? candidateAddress(table.rows, at) : "",
      topClientQueries,
      firstMs: table.firstMs(slot),
      lastMs: table.lastMs(slot),
    };
  }
}

function isAmplifying(type: number): boolean {
  return type === ANY || type === TXT || type === DNSKEY || type === RRSIG;
}

/** DNS of each host, as client and as server, and which query each response belongs to. */
export const dnsHosts: TrackerDefinition<"dns_hosts"> = {
  name: "dns_hosts",
  help: "DNS of each host, as client and as server",
  capacity: CAPACITY,
  application: "dns",
  rows: {
    limit: ROW_LIMIT,
    key: (row) => row.host,
    weight: (row) => weigh((name) => row[name]),
    merge(earlier, later) {
      const top = later.topClientQueries > earlier.topClientQueries ? later : earlier;
      const isSameTop = earlier.topClient === later.topClient;
      return {
        ...top,
        ...addFields(earlier, later, COUNTS),
        ...greaterFields(earlier, later, ["domains", "clients", "servedLargest", "lastMs"]),
        topClientQueries: isSameTop
          ? earlier.topClientQueries + later.topClientQueries
          : top.topClientQueries,
        firstMs: Math.min(earlier.firstMs, later.firstMs),
      };
    },
  },
  metrics: [latency, timeouts, unsolicited, repeated],
  signals: [
    {
      name: "dns_timeouts",
      help: "DNS queries without a response",
      metric: timeouts,
      unit: "messages",
    },
    {
      name: "dns_unsolicited_responses",
      help: "DNS responses that nobody asked for",
      metric: unsolicited,
      unit: "messages",
    },
  ],
  create: (context) => new DnsHosts(context),
};
