// SPDX-License-Identifier: AGPL-3.0-or-later
// Application protocols of every shared capture against tshark, with the flow table that keeps the verdicts. tshark names
// a frame only where a message of the protocol ends in it; here every packet of the flow that carries data counts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applicationNames } from "../../src/decode/families.ts";
import { METHODS } from "../../src/decode/http-line.ts";
import { httpExceptions } from "../support/reference-exceptions.ts";
import { sharedData } from "../support/shared-data.ts";
import { hasTool } from "../support/tool.ts";
import { askCounts } from "./ask-tshark.ts";
import { answeredCaptures, answerPath, readCapture } from "./captures.ts";
import type { Counts } from "./decoding.ts";
import { FlowDecoding } from "./flow-decoding.ts";

interface Answer {
  readonly answer: {
    readonly protocols: Readonly<Record<string, { readonly frames: number }>>;
    readonly http: HttpAnswer;
  };
}

interface HttpAnswer {
  readonly methods: Counts;
  readonly status: Counts;
}

/** tshark's names for what has another one here. */
const ALIASES: Readonly<Record<string, string>> = {
  classicstun: "stun",
  mbtcp: "modbus",
  pgsql: "postgresql",
  smb2: "smb",
  wg: "wireguard",
};

/** What tshark finds inside another application protocol, whose flow it is here: inner name, then outer ones. */
const INSIDE: Readonly<Record<string, readonly string[]>> = {
  dns: ["http2", "vxlan"],
  http: ["http2", "websocket", "sctp"],
  llmnr: ["gtp"],
  smb: ["nbdgm"],
  tls: ["quic"],
};

/** Captures whose HTTP messages are asked for with ASK_HTTP, and why. */
const HTTP_ASKED_AGAIN: Readonly<Record<string, string>> = {
  "ai/mcp-2025-11-25-plaintext.pcap": "a body that the capture does not end",
  "captures/arkime/no-syn-ack.pcap": "a body that the capture does not end",
  "captures/arkime/twovlan.pcap": "a body that the capture does not end",
  "captures/pcapplusplus/example2.pcap": "two bodies that the capture does not end",
  "captures/pcapplusplus/raw_ip.pcap": "a body that the capture does not end",
  "captures/pcapplusplus/unidirectional_tcp_stream_with_missing_packet.pcap":
    "a body that lacks a segment",
  "captures/arkime/sctp-www.pcap": "HTTP over SCTP",
  "captures/arkime/wireshark-retrans.pcap": "two responses that were sent again",
  "captures/zeek/mixed-vlan-mpls.pcap":
    "a request of HTTP/0.9: what names no version is not taken for HTTP/1.x",
};
/** tshark counts a message where its body ends, unless bodies are not put together; here the end of the header counts. */
const ASK_HTTP = {
  options: ["-o", "http.desegment_body:FALSE", "-o", "http.desegment_headers:FALSE"],
  // A whole header whose first line names no version is HTTP/0.9; without its end, the segment may have cut it.
  filter:
    'http && tcp && !tcp.analysis.retransmission && !(http.request.version == "" && http contains 0d:0a:0d:0a)',
} as const;

/** Requests of SSDP, which tshark counts as HTTP. */
const SSDP_METHODS = new Set(["M-SEARCH", "NOTIFY"]);

/** Messages of other protocols, counted with `tshark -T fields`; the labels are those of the metric. */
const MESSAGES: Readonly<Record<string, readonly (readonly [string, Counts])[]>> = {
  "captures/zeek/sip__wireshark.pcap": [
    ["nam_sip_requests_total", { invite: 11, register: 18, other: 18 }],
    ["nam_sip_responses_total", { "1xx": 8, "2xx": 3, "4xx": 23 }],
  ],
  "captures/zeek/ntp.pcap": [["nam_ntp_messages_total", { client: 6, server: 6 }]],
  "captures/zeek/ftp__bruteforce.pcap": [["nam_login_failures_total", { ftp: 30 }]],
  "captures/arkime/SNMPv2c_get_requests.pcap": [["nam_snmp_messages_total", { "2c": 8 }]],
  "captures/suricata-verify/smb-filename__input.pcap": [
    ["nam_smb_negotiations_total", { "1": 6, "2.1": 2, other: 2 }],
  ],
  "captures/suricata-verify/http2-range__http2-range.pcap": [
    ["nam_http2_frames_total", { data: 3, headers: 3, rst_stream: 3, settings: 11, other: 6 }],
  ],
};

const folder = sharedData();
const HAS_TSHARK = hasTool("tshark");

describe.skipIf(folder === null)("application protocols of real captures", () => {
  const root = folder ?? "";
  const captures = folder === null ? [] : answeredCaptures(root);

  it.each(captures)("%s", async (capture) => {
    const { answer } = JSON.parse(readFileSync(join(root, answerPath(capture)), "utf8")) as Answer;
    const seen = await decoded(join(root, capture));
    const expected = namedHere(answer.protocols);
    if (isWhollyDecoded(seen.decoding, answer.protocols)) {
      for (const [name, frames] of Object.entries(expected)) {
        const isInside = (INSIDE[name] ?? []).some((outer) => outer in answer.protocols);
        const found = (seen.proved[name] ?? 0) + (seen.guessed[name] ?? 0);
        if (!isInside) expect(found, `packets of ${name}`).toBeGreaterThanOrEqual(frames);
      }
      const isAskedAgain = capture in HTTP_ASKED_AGAIN;
      const isHttp2 = (seen.proved.http2 ?? 0) > 0;
      const stored = [answer.http];
      if (isAskedAgain && HAS_TSHARK) expectHttp(seen.decoding, [askHttp(join(root, capture))]);
      if (isHttp2 && HAS_TSHARK) stored.push(askHttp2(join(root, capture)));
      if (!isAskedAgain && (HAS_TSHARK || !isHttp2)) {
        expectHttp(seen.decoding, stored, capture in httpExceptions);
      }
    }
    // A port may be wrong; a proof may not.
    for (const name of Object.keys(seen.proved)) {
      expect(Object.keys(expected), "what payloads prove").toContain(name);
    }
  });

  it.each(Object.entries(MESSAGES))("%s: messages", async (capture, families) => {
    const { decoding } = await decoded(join(root, capture));
    for (const [metric, counts] of families) expect(decoding.series(metric)).toEqual(counts);
  });
});

interface Seen {
  readonly decoding: FlowDecoding;
  /** Packets by protocol, apart by what gave it away. */
  readonly proved: Counts;
  readonly guessed: Counts;
}

async function decoded(path: string): Promise<Seen> {
  const decoding = new FlowDecoding();
  const seen: Seen = { decoding, proved: {}, guessed: {} };
  await readCapture(path, (frame) => {
    decoding.take(frame);
    const { application, guessed } = decoding.packet;
    const name = applicationNames[application] ?? "?";
    if (name === "none" || name === "other") return;
    const counts = guessed ? seen.guessed : seen.proved;
    counts[name] = (counts[name] ?? 0) + 1;
  });
  return seen;
}

/** Frames by our names, of the protocols that are applications here. */
function namedHere(protocols: Answer["answer"]["protocols"]): Counts {
  const counts: Counts = {};
  for (const [theirs, { frames }] of Object.entries(protocols)) {
    const name = ALIASES[theirs] ?? theirs;
    if (applicationNames.includes(name)) counts[name] = Math.max(counts[name] ?? 0, frames);
  }
  return counts;
}

/** False where TCP or UDP lies behind a header that is not decoded, or in a tunnel. */
function isWhollyDecoded(
  decoding: FlowDecoding,
  { tcp, udp }: Answer["answer"]["protocols"],
): boolean {
  const packets = (protocol: string) => decoding.value("nam_transport_packets_total", { protocol });
  return packets("tcp") >= (tcp?.frames ?? 0) && packets("udp") >= (udp?.frames ?? 0);
}

function askHttp(path: string): HttpAnswer {
  const { options, filter } = ASK_HTTP;
  return {
    methods: askCounts(path, options, filter, "http.request.method"),
    status: askCounts(path, options, filter, "http.response.code"),
  };
}

/** Messages of HTTP/2, which the stored answers leave out. Pushed requests, which nobody sends, are not in a frame of type 1. */
function askHttp2(path: string): HttpAnswer {
  const isMessage = "http2.type == 1 && !tls";
  return {
    methods: askCounts(path, [], isMessage, "http2.headers.method"),
    status: askCounts(path, [], isMessage, "http2.headers.status"),
  };
}

/** With `differs` the counts may not be the same: an exception that is none any more must go. */
function expectHttp(decoding: FlowDecoding, answers: readonly HttpAnswer[], differs = false): void {
  const methods: Counts = {};
  const classes: Counts = {};
  for (const [name, count] of answers.flatMap((http) => Object.entries(http.methods))) {
    if (SSDP_METHODS.has(name)) continue;
    const method = METHODS.find((known) => known === name.toLowerCase()) ?? "other";
    methods[method] = (methods[method] ?? 0) + count;
  }
  for (const [status, count] of answers.flatMap((http) => Object.entries(http.status))) {
    const name = `${status.slice(0, 1)}xx`;
    classes[name] = (classes[name] ?? 0) + count;
  }
  const found = {
    requests: decoding.series("nam_http_requests_total"),
    responses: decoding.series("nam_http_responses_total"),
  };
  const expected = { requests: methods, responses: classes };
  if (differs) expect(found, "HTTP messages").not.toEqual(expected);
  else expect(found, "HTTP messages").toEqual(expected);
}
