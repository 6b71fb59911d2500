// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import { ClientHelloReader } from "./client-hello.ts";
import { Fingerprinter } from "./fingerprint.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
  short,
} from "./protocol.ts";
import {
  CLIENT_HELLO,
  CONTENT_HANDSHAKE,
  helloRecordAt,
  messageAt,
  messageEnd,
  recordEnd,
  SERVER_HELLO,
  startsHello,
} from "./tls-record.ts";

/** Label values of `version`; "other" is draft versions and what no RFC names. */
const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0300, "ssl3"],
  [0x0301, "1.0"],
  [0x0302, "1.1"],
  [0x0303, "1.2"],
  [0x0304, "1.3"],
]);
const VERSION_LABELS = [...VERSIONS.values(), "other"];
const SNI_LABELS = ["yes", "no"];
/** Client families by the cipher part of their JA4, measured on the software named. */
const FAMILIES: ReadonlyMap<string, string> = new Map([
  ["85036bcba153", "python"],
  ["a33745022dd6", "node"],
  ["e8f1e7e78f70", "curl"],
  ["9dc949149365", "go"],
  ["8daaf6152771", "chromium"],
]);
const FAMILY_LABELS = [...FAMILIES.values(), "other"];

const hellos: MetricDefinition = {
  name: "nam_tls_hellos_total",
  help: "TLS ClientHellos by transport, highest version offered, presence of a server name, and client family (by the cipher part of JA4).",
  type: "counter",
  labels: {
    transport: ["tcp"],
    version: VERSION_LABELS,
    sni: SNI_LABELS,
    family: FAMILY_LABELS,
  },
};
const incompleteHellos: MetricDefinition = {
  name: "nam_tls_hellos_incomplete_total",
  help: "TLS ClientHellos that were not read because they are larger than their segment.",
  type: "counter",
};

declare module "./packet.ts" {
  interface PacketFacts {
    /** The last ClientHello read; this packet's while `hello.packet === packet.number`. */
    readonly hello?: Readonly<HelloFacts>;
  }
}

/** What a ClientHello tells, for trackers. */
export interface HelloFacts {
  packet: number;
  transport: "tcp";
  /** Highest version offered, as in the `version` label. */
  version: string;
  /** Server name, lower case and escaped; empty without one. */
  sni: string;
  ja3: string;
  ja4: string;
}

/** TLS on any port, known by the ClientHello or ServerHello that begins a segment. */
export const tls: ApplicationProtocol = {
  name: "tls",
  help: "TLS",
  layer: "application",
  ports: { tcp: [443, 465, 636, 853, 989, 990, 993, 995, 5061, 8443, 8883] },
  firstBytes: { tcp: [CONTENT_HANDSHAKE] },
  metrics: [hellos, incompleteHellos],
  signals: [
    { name: "tls_hellos", help: "TLS ClientHellos", metric: hellos, unit: "messages" },
    {
      name: "tls_hellos_without_sni",
      help: "TLS ClientHellos without a server name",
      metric: hellos,
      where: { sni: "no" },
      unit: "messages",
    },
  ],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const { counters } = context;
  const helloCells = context.base(hellos);
  const incompleteCell = context.base(incompleteHellos);
  const tallySni = context.tally("tls.sni");
  const tallyJa3 = context.tally("tls.ja3");
  const tallyJa4 = context.tally("tls.ja4");
  const reader = new ClientHelloReader();
  const fingerprinter = new Fingerprinter();
  const facts: HelloFacts = {
    packet: -1,
    transport: "tcp",
    version: "",
    sni: "",
    ja3: "",
    ja4: "",
  };

  function decode(packet: Packet): number {
    const { view } = packet;
    const recordAt = helloRecordAt(packet);
    if (!startsHello(packet, recordAt, CLIENT_HELLO)) return Stop.DONE;
    const end = messageEnd(view, recordAt);
    if (end > recordEnd(view, recordAt) || end > packet.payloadAt + packet.payloadLength) {
      add(counters, incompleteCell, 1);
      return Stop.DONE;
    }
    if (end > packet.payloadEnd) return short(packet);
    const stop = reader.read(view, messageAt(recordAt), end);
    if (stop === Stop.DONE) note(packet);
    return stop;
  }

  function note(packet: Packet): void {
    const { hello } = reader;
    facts.packet = packet.number;
    facts.version = VERSIONS.get(hello.version) ?? "other";
    facts.sni = hello.serverName;
    facts.ja3 = fingerprinter.ja3(hello);
    facts.ja4 = fingerprinter.ja4(hello, packet.view, "t");
    const family = FAMILIES.get(fingerprinter.ja4Ciphers(hello)) ?? "other";
    add(counters, helloCells + helloCell(facts.version, facts.sni !== "", family), 1);
    if (facts.sni !== "") tallySni(facts.sni);
    tallyJa3(facts.ja3);
    tallyJa4(facts.ja4);
  }

  return { recognises, decode, facts: { hello: facts } };
}

function recognises(packet: Packet): boolean {
  const at = packet.payloadAt;
  return startsHello(packet, at, CLIENT_HELLO) || startsHello(packet, at, SERVER_HELLO);
}

/** Offset of a series in the hello family; the last label varies fastest. */
function helloCell(version: string, named: boolean, family: string): number {
  const row = VERSION_LABELS.indexOf(version) * SNI_LABELS.length + (named ? 0 : 1);
  return row * FAMILY_LABELS.length + FAMILY_LABELS.indexOf(family);
}
