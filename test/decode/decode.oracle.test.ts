// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  networkFamily,
  packetSize,
  transportFamily,
  tunnelNames,
  tunnelPackets,
} from "../../src/decode/families.ts";
import { sharedData } from "../support/shared-data.ts";
import { hasTool } from "../support/tool.ts";
import { askCounts, askFields, askTree } from "./ask-tshark.ts";
import { answeredCaptures, answerPath, readCapture } from "./captures.ts";
import type { Counts, Decoding } from "./decoding.ts";
import { FlowDecoding } from "./flow-decoding.ts";
import {
  framesOverIp,
  type Innermost,
  innermost,
  isDisputed,
  type Reference,
  readReference,
  TCP_FLAG_NAMES,
} from "./reference.ts";

/** Captures whose tunnels tshark looks for only when told, with how it is told, and why. */
const TREE_ASKED_AGAIN: Readonly<Record<string, { options: readonly string[]; why: string }>> = {
  "captures/tcpdump/vxlan_port_8472.pcap": {
    options: ["-d", "udp.port==8472,vxlan"],
    why: "VXLAN on the port that Linux took before there was one",
  },
};

/** Captures whose handshakes are asked for anew, and why. */
const HANDSHAKES_ASKED_AGAIN: Readonly<
  Record<string, { ask: (path: string) => Partial<Handshakes>; why: string }>
> = {
  "captures/zeek/tls__hrr.pcap": {
    why: "tshark reads the second ServerHello, whose segment comes after the one behind it, only when told to wait for it",
    ask: (path) => {
      const options = ["-o", "tcp.reassemble_out_of_order:TRUE"];
      const ja3s = askCounts(path, options, "tls.handshake.type == 2", "tls.handshake.ja3s");
      return { ja3s, serverHellos: total(ja3s) };
    },
  },
  "captures/zeek/tls__dtls1_2.pcap": {
    why: "the stored answer counts each frame that holds a fragment of a hello",
    ask: (path) => {
      const isFirst = "dtls.handshake.type == 1 && dtls.handshake.fragment_offset == 0";
      return { dtlsHellos: askFields(path, [], isFirst, ["frame.number"]).length };
    },
  },
};

/** Captures that are judged otherwise here, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "captures/tcpdump/kday1.pcap":
    "an IPv4 header whose version field says 6: tshark goes on as IPv6, here it is malformed",
  "captures/tcpdump/ipv6_39_byte_header.pcap":
    "an IPv6 header cut by the capture: tshark shows what fields there are, here a header counts whole or not at all",
  "captures/tcpdump/ipv6_invalid_length.pcap":
    "an IPv6 header that was sent without its last byte: the same",
};

/** More than any capture has. */
const FLOWS = 65_536;

const folder = sharedData();
const HAS_TSHARK = hasTool("tshark");

describe.skipIf(folder === null)("reference answers", () => {
  const root = folder ?? "";
  const captures = folder === null ? [] : answeredCaptures(root);

  it("has captures to compare", () => {
    expect(captures.length).toBeGreaterThan(260);
  });

  it.each(captures)("%s", async (capture) => {
    const reference = readReference(join(root, answerPath(capture)));
    const decoding = new FlowDecoding(FLOWS);
    const seen = new Seen(decoding);
    await readCapture(join(root, capture), (frame) => {
      decoding.take(frame);
      seen.note();
    });
    expectSums(decoding, reference);
    expectSizes(decoding, reference);
    expectLayers(capture, root, decoding, seen, reference);
    expectTcpFlags(decoding, reference);
    expectDns(decoding, reference);
    expectLocalNames(decoding, reference);
    expectHandshakes(capture, root, decoding, reference);
  });

  it("agrees with the fingerprints that two implementations confirm", async () => {
    const confirmed = readConfirmed(join(root, "captures/confirmed_fingerprints.json"));
    let compared = 0;
    for (const [capture, { ja3, ja4 }] of confirmed) {
      const decoding = new FlowDecoding(FLOWS);
      await readCapture(join(root, capture), (frame) => decoding.take(frame));
      const { ja3: foundJa3, ja4: foundJa4 } = handshakesFound(decoding);
      expect(Object.keys(foundJa4), capture).toEqual(expect.arrayContaining(ja4));
      expect(Object.keys(foundJa3), capture).toEqual(expect.arrayContaining(ja3));
      compared++;
    }
    expect(compared).toBeGreaterThanOrEqual(15);
  });
});

/** What the packets themselves say, beside the counters. */
class Seen {
  readonly ipProtocols: Counts = {};
  readonly vlanIds: Counts = {};
  readonly #decoding: Decoding;

  constructor(decoding: Decoding) {
    this.#decoding = decoding;
  }

  note(): void {
    const { packet } = this.#decoding;
    if (packet.vlanId >= 0) increment(this.vlanIds, String(packet.vlanId));
    if (packet.ipVersion === 0) return;
    const nextHeaderAt = packet.networkAt + (packet.ipVersion === 4 ? 9 : 6);
    increment(this.ipProtocols, `${packet.ipVersion}:${packet.view.getUint8(nextHeaderAt)}`);
  }
}

function expectSums(decoding: Decoding, reference: Reference): void {
  const { packets, bytes } = decoding.sums();
  const expected = Number(reference.container.packets);
  expect(packets, "packets in each family").toEqual([expected, expected, expected]);
  expect(new Set(bytes).size, "bytes in each family are the same").toBe(1);
  const { counts, sum } = decoding.histogram(packetSize);
  expect(
    counts.reduce((all, count) => all + count, 0),
    "packets in the size histogram",
  ).toBe(expected);
  expect(sum, "bytes in the size histogram").toBe(bytes[0]);
}

/** tshark counts custom and journal blocks of pcapng as frames, of which capinfos knows better. */
function expectSizes(decoding: Decoding, { answer, container }: Reference): void {
  const bytes = decoding.sums().bytes[0];
  if (Number(container.packets) !== answer.packets) {
    expect(bytes, "bytes").toBe(Number(container.data_bytes));
    return;
  }
  expect(bytes, "bytes").toBe(answer.bytes);
  const { counts } = decoding.histogram(packetSize);
  let cumulative = 0;
  for (const [bucket, bound] of (packetSize.buckets ?? []).entries()) {
    cumulative += counts[bucket] ?? 0;
    const count = answer.frame_len_le[String(bound)];
    if (count !== undefined) expect(cumulative, `packets up to ${bound} bytes`).toBe(count);
  }
}

/** The layer families and tunnels: by the first IP header, or where tunnels are by what is inside the innermost. */
function expectLayers(
  capture: string,
  root: string,
  decoding: Decoding,
  seen: Seen,
  reference: Reference,
): void {
  if (isDisputed(reference, "outer/l3")) return;
  const again = TREE_ASKED_AGAIN[capture];
  if (again !== undefined && !HAS_TSHARK) return;
  const io_phs =
    again === undefined ? reference.io_phs : askTree(join(root, capture), again.options);
  const { outer, vlan, protocols } = reference.answer;
  // tshark keeps the identifiers of 802.1ad service tags under another name, which the answers leave out.
  if (!("ieee8021ad" in protocols)) expect(seen.vlanIds, "VLANs").toEqual(vlan.outer_ids);
  const inner = innermost({ io_phs });
  const found = layersFound(decoding, seen, inner !== null);
  const expected = layersExpected(outer, inner);
  if (capture in EXCEPTIONS) expect(found).not.toEqual(expected);
  else expect(found).toEqual(expected);
}

interface Layers {
  readonly networks: Counts;
  readonly tunnels: Counts;
  /** Null where IPv6 extension headers come between. */
  readonly transports: Counts | null;
  /** Of the first IP header; null for captures with tunnels. */
  readonly ipProtocols: Counts | null;
}

function layersFound(decoding: Decoding, seen: Seen, hasTunnels: boolean): Layers {
  const { ipv4 = 0, ipv6 = 0, arp = 0 } = decoding.packets(networkFamily);
  const { none: _, ...transports } = decoding.packets(transportFamily);
  return {
    networks: { ipv4, ipv6, arp },
    tunnels: tunnelsOf(decoding),
    transports: hasTunnels || !hasExtensions(seen.ipProtocols) ? transports : null,
    ipProtocols: hasTunnels ? null : seen.ipProtocols,
  };
}

function layersExpected(outer: Reference["answer"]["outer"], inner: Innermost | null): Layers {
  const { ipv4 = 0, ipv6 = 0, arp = 0 } = inner?.networks ?? outer.l3;
  return {
    networks: { ipv4, ipv6, arp },
    tunnels: inner?.tunnels ?? {},
    transports: inner?.transports ?? transportsOf(outer.ip_proto),
    ipProtocols: inner === null ? outer.ip_proto : null,
  };
}

function tunnelsOf(decoding: Decoding): Counts {
  const counts = tunnelNames.map(
    (protocol) => [protocol, decoding.value(tunnelPackets.name, { protocol })] as const,
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

const TRANSPORTS: Readonly<Record<string, string>> = {
  "1": "icmp",
  "2": "igmp",
  "6": "tcp",
  "17": "udp",
  "33": "dccp",
  "47": "gre",
  "50": "esp",
  "51": "ah",
  "58": "icmpv6",
  "132": "sctp",
  "136": "udp_lite",
};

/** The transport family by what the first IP header names; null where that is an IPv6 extension. */
function transportsOf(ipProtocols: Counts): Counts | null {
  if (hasExtensions(ipProtocols)) return null;
  const counts: Counts = {};
  for (const [key, count] of Object.entries(ipProtocols)) {
    const name = TRANSPORTS[key.slice(2)] ?? "other";
    counts[name] = (counts[name] ?? 0) + count;
  }
  return counts;
}

function hasExtensions(ipProtocols: Counts): boolean {
  return "6:0" in ipProtocols || "6:44" in ipProtocols;
}

/** tshark counts the flags of inner TCP headers too: compared where there are none. */
function expectTcpFlags(decoding: Decoding, { answer }: Reference): void {
  const { tcp = 0 } = decoding.packets(transportFamily);
  if ((answer.protocols.tcp?.frames ?? 0) !== tcp) return;
  for (const flag of TCP_FLAG_NAMES) {
    const count = decoding.value("nam_tcp_segments_total", { flag });
    expect(count, `TCP segments ${flag}`).toBe(answer.tcp[flag]);
  }
}

const RCODES = ["noerror", "formerr", "servfail", "nxdomain", "notimp", "refused"];
const QUERY_TYPES = {
  a: 1,
  ns: 2,
  cname: 5,
  soa: 6,
  null: 10,
  ptr: 12,
  mx: 15,
  txt: 16,
  aaaa: 28,
  srv: 33,
  svcb: 64,
  https: 65,
  any: 255,
};

function expectDns(decoding: Decoding, reference: Reference): void {
  const { dns } = reference.answer;
  const queries = decoding.value("nam_dns_messages_total", { kind: "query" });
  const responses = decoding.value("nam_dns_messages_total", { kind: "response" });
  const names = decoding.tally("dns.names");
  const expectedNames = lowerCase(dns.query_names);
  if (framesOverIp(reference, "dns") === dns.frames) {
    expect({ queries, responses }, "DNS messages").toEqual({
      queries: dns.queries,
      responses: dns.responses,
    });
    for (const [number, rcode] of RCODES.entries()) {
      const count = decoding.value("nam_dns_responses_total", { rcode });
      expect(count, `DNS responses ${rcode}`).toBe(dns.response_rcodes[number] ?? 0);
    }
    for (const [qtype, number] of Object.entries(QUERY_TYPES)) {
      const count = decoding.value("nam_dns_messages_total", { kind: "query", qtype });
      expect(count, `DNS queries ${qtype}`).toBe(dns.query_types[number] ?? 0);
    }
    expect(total(names), "DNS query names").toBe(total(expectedNames));
    expect(inAscii(names)).toEqual(inAscii(expectedNames));
  } else {
    expect(queries + responses, "DNS messages").toBeLessThanOrEqual(dns.frames);
    for (const [name, count] of Object.entries(inAscii(names))) {
      expect(count, name).toBeLessThanOrEqual(expectedNames[name] ?? 0);
    }
  }
}

/** tshark names every question of a message, here the first one is: whatever is named must be right. */
function expectLocalNames(decoding: Decoding, reference: Reference): void {
  for (const service of ["mdns", "llmnr"] as const) {
    const answer = reference.answer[service];
    if (!answer || framesOverIp(reference, service) !== answer.frames) continue;
    const count = (kind: string) => decoding.value(`nam_${service}_messages_total`, { kind });
    expect({ queries: count("query"), responses: count("response") }, service).toEqual({
      queries: answer.queries,
      responses: answer.responses,
    });
    const expected = lowerCase(answer.query_names);
    for (const [name, times] of Object.entries(inAscii(decoding.tally(`${service}.names`)))) {
      expect(expected[name], `${service} ${name}`).toBeGreaterThanOrEqual(times);
    }
  }
}

/** What handshakes of TLS, QUIC, DTLS and SSH tell: each value with how often it was seen. */
interface Handshakes {
  readonly sni: Counts;
  readonly quicSni: Counts;
  readonly ja3: Counts;
  readonly ja3s: Counts;
  readonly ja4: Counts;
  readonly hassh: Counts;
  readonly hasshServer: Counts;
  readonly clientHellos: number;
  readonly serverHellos: number;
  readonly dtlsHellos: number;
}

function handshakesFound(decoding: Decoding): Handshakes {
  const count = (name: string, transport: string) => decoding.value(name, { transport });
  const overStreams = (name: string) => count(name, "tcp") + count(name, "quic");
  return {
    sni: decoding.tally("tls.sni"),
    quicSni: decoding.tally("quic.sni"),
    ja3: decoding.tally("tls.ja3"),
    ja3s: decoding.tally("tls.ja3s"),
    ja4: { ...decoding.tally("tls.ja4"), ...decoding.tally("quic.ja4") },
    hassh: decoding.tally("ssh.hassh"),
    hasshServer: decoding.tally("ssh.hassh_server"),
    clientHellos: overStreams("nam_tls_hellos_total"),
    serverHellos: overStreams("nam_tls_server_hellos_total"),
    dtlsHellos: count("nam_tls_hellos_total", "dtls"),
  };
}

function handshakesExpected({ answer, fingerprints }: Reference): Handshakes {
  const { tls, quic, dtls } = answer;
  return {
    sni: lowerCase(tls.sni),
    quicSni: lowerCase(quic.sni),
    ja3: tls.ja3,
    ja3s: tls.ja3s,
    ja4: fingerprints.ja4,
    hassh: fingerprints.hassh,
    hasshServer: fingerprints.hassh_server,
    clientHellos: tls.client_hellos,
    serverHellos: tls.server_hellos,
    dtlsHellos: dtls.client_hellos,
  };
}

function expectHandshakes(
  capture: string,
  root: string,
  decoding: Decoding,
  reference: Reference,
): void {
  const again = HANDSHAKES_ASKED_AGAIN[capture];
  if (again !== undefined && !HAS_TSHARK) return;
  const expected = { ...handshakesExpected(reference), ...again?.ask(join(root, capture)) };
  expect(handshakesFound(decoding)).toEqual(expected);
}

interface Confirmed {
  readonly ja3: string[];
  readonly ja4: string[];
}

function readConfirmed(path: string): Map<string, Confirmed> {
  type Sources = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const { ja3, ja4 } = JSON.parse(readFileSync(path, "utf8")) as { ja3: Sources; ja4: Sources };
  const valuesOf = (sources: Sources, capture: string) => Object.keys(sources[capture] ?? {});
  return new Map(
    [...new Set([...Object.keys(ja3), ...Object.keys(ja4)])].map((capture) => [
      capture,
      { ja3: valuesOf(ja3, capture), ja4: valuesOf(ja4, capture) },
    ]),
  );
}

function increment(counts: Counts, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function lowerCase(counts: Counts): Counts {
  const merged: Counts = {};
  for (const [name, count] of Object.entries(counts)) {
    const key = name.toLowerCase();
    merged[key] = (merged[key] ?? 0) + count;
  }
  return merged;
}

/** Names of printable ASCII: tshark shows other bytes as what they would be in UTF-8, and loses some. */
function inAscii(counts: Counts): Counts {
  return Object.fromEntries(
    Object.entries(counts).filter(([name]) => /^[\x21-\x5b\x5d-\x7e]+$/.test(name)),
  );
}
