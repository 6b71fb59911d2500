// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add, u8 } from "../util/typed.ts";
import { DnsNameReader, NameFault, skipName } from "./dns-name.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
  short,
} from "./protocol.ts";
import { UDP_NUMBER } from "./udp.ts";

/** Offsets in the header (RFC 1035 §4.1.1). */
const FLAGS_AT = 2;
const QUESTIONS_AT = 4;
const ANSWERS_AT = 6;
const HEADER_LENGTH = 12;
/** Type and class behind the name of a question. */
const QUESTION_TAIL = 4;

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

const messages: MetricDefinition = {
  name: "nam_dns_messages_total",
  help: "DNS messages over UDP by kind and type of the first question.",
  type: "counter",
  labels: { kind: KINDS, qtype: QUERY_TYPE_LABELS },
};
const responses: MetricDefinition = {
  name: "nam_dns_responses_total",
  help: "DNS responses over UDP by response code.",
  type: "counter",
  labels: { rcode: RCODES },
};

declare module "./packet.ts" {
  interface PacketFacts {
    /** The last DNS message read; this packet's while `dns.packet === packet.number`. */
    readonly dns?: Readonly<DnsFacts>;
  }
}

/** What a DNS message tells, for trackers. */
export interface DnsFacts {
  packet: number;
  id: number;
  isResponse: boolean;
  rcode: number;
  /** Type of the first question, -1 without one. */
  queryType: number;
  /** Where the message starts in the view, and the name of its first question; -1 without one. */
  messageAt: number;
  nameAt: number;
  answers: number;
  /** Name of the first question, null where it cannot be read. Makes a string: not for every packet. */
  name(packet: Packet): string | null;
}

/** DNS over UDP (RFC 1035), known by port 53. */
export const dns: ApplicationProtocol = {
  name: "dns",
  help: "DNS",
  layer: "application",
  ports: { tcp: [53], udp: [53] },
  metrics: [messages, responses],
  signals: [
    {
      name: "dns_queries",
      help: "DNS queries",
      metric: messages,
      where: { kind: "query" },
      unit: "messages",
    },
    { name: "dns_responses", help: "DNS responses", metric: responses, unit: "messages" },
    {
      name: "dns_nxdomain",
      help: "DNS responses about names that do not exist",
      metric: responses,
      where: { rcode: "nxdomain" },
      unit: "messages",
    },
    {
      name: "dns_servfail",
      help: "DNS responses of servers that failed",
      metric: responses,
      where: { rcode: "servfail" },
      unit: "messages",
    },
  ],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const { counters } = context;
  const messageCells = context.base(messages);
  const responseCells = context.base(responses);
  const tallyName = context.tally("dns.names");
  const typeCells = queryTypeCells();
  const names = new DnsNameReader();
  const facts: DnsFacts = {
    packet: -1,
    id: 0,
    isResponse: false,
    rcode: 0,
    queryType: -1,
    messageAt: -1,
    nameAt: -1,
    answers: 0,
    name: ({ view, payloadEnd }) =>
      facts.nameAt < 0 ? null : names.read(view, facts.messageAt, facts.nameAt, payloadEnd),
  };

  function decode(packet: Packet): number {
    if (packet.ipProtocol !== UDP_NUMBER) return Stop.DONE;
    const { view, payloadAt } = packet;
    if (packet.payloadEnd - payloadAt < HEADER_LENGTH) return short(packet);
    const flags = view.getUint16(payloadAt + FLAGS_AT);
    facts.packet = packet.number;
    facts.id = view.getUint16(payloadAt);
    facts.isResponse = flags >>> 15 === 1;
    facts.rcode = flags & 15;
    facts.answers = view.getUint16(payloadAt + ANSWERS_AT);
    facts.messageAt = payloadAt;
    const stop = question(packet);
    count();
    if (stop === Stop.DONE && facts.nameAt >= 0 && !facts.isResponse) {
      const name = names.read(view, payloadAt, facts.nameAt, packet.payloadEnd);
      if (name === null) return Stop.MALFORMED;
      tallyName(name);
    }
    return stop;
  }

  /** Reads the first question. More than one is not in use: RFC 9619. */
  function question(packet: Packet): number {
    const { view, payloadAt, payloadEnd } = packet;
    facts.nameAt = -1;
    facts.queryType = -1;
    if (view.getUint16(payloadAt + QUESTIONS_AT) === 0) return Stop.DONE;
    const nameAt = payloadAt + HEADER_LENGTH;
    const nameEnd = skipName(view, nameAt, payloadEnd);
    if (nameEnd === NameFault.MALFORMED) return Stop.MALFORMED;
    if (nameEnd < 0 || nameEnd + QUESTION_TAIL > payloadEnd) return short(packet);
    facts.nameAt = nameAt;
    facts.queryType = view.getUint16(nameEnd);
    return Stop.DONE;
  }

  function count(): void {
    const { queryType } = facts;
    let type = NO_TYPE;
    if (queryType >= 0) type = queryType < typeCells.length ? u8(typeCells, queryType) : OTHER_TYPE;
    const kind = facts.isResponse ? QUERY_TYPE_LABELS.length : 0;
    add(counters, messageCells + kind + type, 1);
    if (facts.isResponse) {
      add(counters, responseCells + Math.min(facts.rcode, RCODES.length - 1), 1);
    }
  }

  return { decode, facts: { dns: facts } };
}

/** Position in the labels of the types that one byte can hold. */
function queryTypeCells(): Uint8Array {
  const cells = new Uint8Array(256).fill(OTHER_TYPE);
  for (const [position, type] of [...QUERY_TYPES.keys()].entries()) cells[type] = position;
  return cells;
}
