// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add, u8 } from "../util/typed.ts";
import { assemblyMetric } from "./assembly.ts";
import { DNS_HEADER_LENGTH, DnsMessage } from "./dns-message.ts";
import { provesDns, provesDnsOverTcp } from "./dns-proof.ts";
import { DnsStreams } from "./dns-stream.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
  short,
} from "./protocol.ts";
import { RegistrableDomains } from "./registrable-domain.ts";
import { TCP_NUMBER } from "./tcp.ts";

const { MALFORMED } = Stop;
const TCP = TCP_NUMBER;
/** Messages of one segment that trackers see; further ones are counted only. */
const FOLLOWED_MESSAGES = 16;
/** Buffers above this serve amplification more than resolution (RFC 9715 recommends 1,400). */
const LARGE_BUFFER = 4096;

const ANY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);

/** Label values by IANA number; "other" is any other type, "none" a message without a question that can be read. */
const QUERY_TYPES: ReadonlyMap<number, string> = new Map([
  [1, "a"],
  [2, "ns"],
  [5, "cname"],
  [6, "soa"],
  [10, "null"],
  [12, "ptr"],
  [15, "mx"],
  [16, "txt"],
  [28, "aaaa"],
  [33, "srv"],
  [64, "svcb"],
  [65, "https"],
  [255, "any"],
]);
const QUERY_TYPE_LABELS = [...QUERY_TYPES.values(), "other", "none"];
const OTHER_TYPE = QUERY_TYPES.size;
const NO_TYPE = OTHER_TYPE + 1;
const RCODES = ["noerror", "formerr", "servfail", "nxdomain", "notimp", "refused", "other"];
const KINDS = ["query", "response"];
const PROPERTIES = [
  "tcp",
  "truncated",
  "edns",
  "dnssec_ok",
  "large_buffer",
  "not_query",
  "not_followed",
] as const;
const Property = {
  TCP: 0,
  TRUNCATED: 1,
  EDNS: 2,
  DNSSEC_OK: 3,
  LARGE_BUFFER: 4,
  NOT_QUERY: 5,
  NOT_FOLLOWED: 6,
} as const;

const messages: MetricDefinition = {
  name: "nam_dns_messages_total",
  help: "DNS messages by kind and type of the first question.",
  type: "counter",
  labels: { kind: KINDS, qtype: QUERY_TYPE_LABELS },
};
const responses: MetricDefinition = {
  name: "nam_dns_responses_total",
  help: "DNS responses by response code.",
  type: "counter",
  labels: { rcode: RCODES },
};
const properties: MetricDefinition = {
  name: "nam_dns_properties_total",
  help: `DNS messages with a property; one counts for each that it has. tcp: came over TCP; truncated: TC bit of a response; edns, dnssec_ok: EDNS record, its DO bit; large_buffer: EDNS buffer over ${LARGE_BUFFER} bytes; not_query: opcode other than 0; not_followed: beyond the ${FOLLOWED_MESSAGES}th of a segment, counted but not matched.`,
  type: "counter",
  labels: { property: PROPERTIES },
};
const answers: MetricDefinition = {
  name: "nam_dns_answers_total",
  help: "Answer records that DNS responses announce.",
  type: "counter",
};
const givenUp = assemblyMetric("dns", "DNS messages over TCP");

declare module "./packet.ts" {
  interface PacketFacts {
    /** The DNS messages read last; this packet's while `dns.packet === packet.number`. */
    readonly dns?: Readonly<DnsFacts>;
  }
}

/** What a packet's DNS messages tell, for trackers. */
export interface DnsFacts {
  packet: number;
  /** Messages of the packet: the first so many of `messages`, which are reused. */
  count: number;
  readonly messages: readonly Readonly<DnsMessage>[];
  /** Where in the message's name its registrable domain begins; see RegistrableDomains. */
  domainAt(message: Readonly<DnsMessage>): number;
}

/** DNS over UDP and TCP (RFC 1035, RFC 7766) on any port, known by a whole message or by port 53. */
export const dns: ApplicationProtocol = {
  name: "dns",
  help: "DNS",
  layer: "application",
  ports: { tcp: [53], udp: [53] },
  // An id over UDP; over TCP a length, or what follows in the middle of a message that has to be put together.
  firstBytes: { tcp: ANY_BYTE, udp: ANY_BYTE },
  metrics: [messages, responses, properties, answers, givenUp],
  signals: [
    signal("dns_queries", "DNS queries", messages, { kind: "query" }),
    signal("dns_responses", "DNS responses", responses),
    signal("dns_nxdomain", "DNS responses about names that do not exist", responses, {
      rcode: "nxdomain",
    }),
    signal("dns_servfail", "DNS responses of servers that failed", responses, {
      rcode: "servfail",
    }),
    signal("dns_txt_queries", "DNS queries for TXT records", messages, {
      kind: "query",
      qtype: "txt",
    }),
  ],
  create,
};

function signal(
  name: string,
  help: string,
  metric: MetricDefinition,
  where: Record<string, string> = {},
) {
  return { name, help, metric, where, unit: "messages" } as const;
}

function create(context: DecodeContext): ApplicationDecoder {
  const { counters } = context;
  const messageCells = context.base(messages);
  const responseCells = context.base(responses);
  const propertyCells = context.base(properties);
  const answerCell = context.base(answers);
  const tallyName = context.tally("dns.names");
  const typeCells = queryTypeCells();
  const pool = Array.from({ length: FOLLOWED_MESSAGES }, () => new DnsMessage());
  const unfollowed = new DnsMessage();
  const streams = new DnsStreams(counters, context.base(givenUp), takeFromStream);
  const domains = new RegistrableDomains();
  const facts: DnsFacts = {
    packet: -1,
    count: 0,
    messages: pool,
    domainAt: (message) => domains.startOf(message.name),
  };

  function decode(packet: Packet): number {
    facts.count = 0;
    facts.packet = packet.number;
    if (packet.ipProtocol === TCP) return streams.read(packet);
    const { payloadAt, payloadEnd } = packet;
    if (payloadEnd - payloadAt < DNS_HEADER_LENGTH) return short(packet);
    return take(packet.view, payloadAt, payloadEnd, packet.payloadLength, packet.cut);
  }

  function takeFromStream(view: DataView, at: number, end: number, sentBytes: number): number {
    add(counters, propertyCells + Property.TCP, 1);
    return take(view, at, end, sentBytes, end - at < sentBytes);
  }

  function take(view: DataView, at: number, end: number, sentBytes: number, isCut: boolean) {
    const isFollowed = facts.count < FOLLOWED_MESSAGES;
    const message = isFollowed ? (pool[facts.count++] as DnsMessage) : unfollowed;
    const stop = message.read(view, at, end, sentBytes, isCut);
    // What cannot be read is counted, but is nothing for trackers.
    if (isFollowed && stop === MALFORMED) facts.count--;
    if (!isFollowed) add(counters, propertyCells + Property.NOT_FOLLOWED, 1);
    count(message);
    if (!message.isResponse && message.name.length > 0) tallyName(message.name.text());
    return stop;
  }

  function count(message: DnsMessage): void {
    const { queryType, bufferSize } = message;
    let type = NO_TYPE;
    if (queryType >= 0) type = queryType < typeCells.length ? u8(typeCells, queryType) : OTHER_TYPE;
    const kind = message.isResponse ? QUERY_TYPE_LABELS.length : 0;
    add(counters, messageCells + kind + type, 1);
    if (message.opcode !== 0) add(counters, propertyCells + Property.NOT_QUERY, 1);
    if (bufferSize >= 0) {
      add(counters, propertyCells + Property.EDNS, 1);
      if (message.isDnssecOk) add(counters, propertyCells + Property.DNSSEC_OK, 1);
      if (bufferSize > LARGE_BUFFER) add(counters, propertyCells + Property.LARGE_BUFFER, 1);
    }
    if (!message.isResponse) return;
    add(counters, responseCells + Math.min(message.rcode, RCODES.length - 1), 1);
    add(counters, answerCell, message.answers);
    if (message.isTruncated) add(counters, propertyCells + Property.TRUNCATED, 1);
  }

  return {
    recognises: (packet) =>
      packet.ipProtocol === TCP ? provesDnsOverTcp(packet) : provesDns(packet),
    decode,
    facts: { dns: facts },
  };
}

/** Position in the labels of the types that one byte can hold. */
function queryTypeCells(): Uint8Array {
  const cells = new Uint8Array(256).fill(OTHER_TYPE);
  for (const [position, type] of [...QUERY_TYPES.keys()].entries()) cells[type] = position;
  return cells;
}
