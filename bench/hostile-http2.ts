// SPDX-License-Identifier: AGPL-3.0-or-later
import { once } from "node:events";
import http2 from "node:http2";
import { Duplex } from "node:stream";
import type { Frame } from "../src/capture/source.ts";
import type { Decoder } from "../src/decode/decoder.ts";
import { applicationNames } from "../src/decode/families.ts";
import { type Bytes, bytes, frameOf, hex, tcpFrame } from "../test/decode/frames.ts";
import { rowsAgainst } from "./against.ts";
import type { Row } from "./bench.ts";

const SEGMENT_BYTES = 1_400;
const SEGMENTS = 200;
const ROUNDS = 200;
/** Packets of a flow before its first segment: the handshake of TCP. */
const PACKETS_BEFORE = 3;
const FLOWS = 0x10000;
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS = hex("000000 04 00 00000000");
/** `:method: GET` as an index; then names of nothing, letters and a host that go into the table. */
const GET = "82";
const EMPTY = "400000";
const LETTERS = "4001610161";
const PACKED_LETTERS = "40811f811f";
const HOST = "418cf1e3c2e5f23a6ba0ab90f4ff";
const NEWEST = "be";

const BROWSER_FIELDS = {
  ":path": "/account/orders?page=3&sort=date&filter=open",
  "user-agent":
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
  accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "accept-encoding": "gzip, deflate, br, zstd",
  "accept-language": "de-DE,de;q=0.9,en;q=0.8",
  "sec-fetch-site": "same-origin",
  "sec-fetch-mode": "navigate",
  referer: "https://www.example.com/account/orders?page=2&sort=date&filter=open",
  cookie: Array.from(
    { length: 34 },
    (_, at) => `session_${at}=MjQ0NTY0Njg5N${at}xaGJ2a2RmbGts`,
  ).join("; "),
};

/** HTTP/2 header blocks made to take long, each segment of them against one with a browser's request. */
export async function http2Rows(decoder: Decoder, say: (line: string) => void): Promise<Row[]> {
  const time = (segment: Bytes, before = ""): number => measureSegments(decoder, segment, before);
  const request = await browserRequest();
  const good = time(request);
  say(`HTTP/2 request of a browser: ${request.length} bytes`);
  const hostile = {
    "HTTP/2 with nothing but indices": time(blocks(GET.repeat(1_391))),
    "HTTP/2 with empty fields": time(blocks(EMPTY.repeat(463))),
    "HTTP/2 with fields of one letter": time(blocks(LETTERS.repeat(278))),
    "HTTP/2 with fields of one letter that is packed": time(blocks(PACKED_LETTERS.repeat(278))),
    "HTTP/2 with hosts": time(blocks(HOST.repeat(99))),
    "HTTP/2 with the same host over and over": time(blocks(NEWEST.repeat(1_391)), longHost()),
    "HTTP/2 with blocks of nothing": time(blocks("")),
    "HTTP/2 with requests of two bytes for a long host": time(blocks(GET + NEWEST), longHost()),
    "HTTP/2 with blocks that are broken": time(blocks("80")),
    "HTTP/2 with a table resized in each block": time(blocks(`203fe11f${GET}`)),
  };
  return rowsAgainst(hostile, "a browser's request as long", good, say);
}

/** As many HEADERS frames with this block as a segment holds. */
function blocks(block: string): Bytes {
  const frame = headers(hex(block));
  return bytes(...Array.from({ length: SEGMENT_BYTES / frame.length }, () => frame));
}

function headers(block: Bytes): Bytes {
  const { length } = block;
  return bytes(0, length >> 8, length & 0xff, 1, 4, hex("00000001"), block);
}

/** A host of 255 bytes, the longest that is kept, as a field that goes into the table. */
function longHost(): string {
  return `${GET}417f8001${"61".repeat(255)}`;
}

/** What nghttp2 makes of the first request of a browser, with cookies that fill the segment. */
async function browserRequest(): Promise<Bytes> {
  const preface = bytes(PREFACE, SETTINGS);
  const written: Buffer[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      if (Buffer.concat(written).length > preface.length) stream.emit("asked");
      done();
    },
  });
  const session = http2.connect("http://www.example.com", { createConnection: () => stream });
  const asked = once(stream, "asked");
  session.request(BROWSER_FIELDS);
  await asked;
  session.destroy();
  return Buffer.concat(written).subarray(preface.length);
}

/** Nanoseconds a segment, the best of the rounds, each in a flow of its own that begins with `before`. */
function measureSegments(decoder: Decoder, segment: Bytes, before: string): number {
  const start = bytes(PREFACE, SETTINGS, ...(before === "" ? [] : [headers(hex(before))]));
  const frames = Array.from({ length: SEGMENTS }, (_, at) =>
    frameAt(segment, 1 + start.length + at * segment.length),
  );
  const first = frameAt(start, 1);
  const verdict = applicationNames.indexOf("http2");
  let best = Number.POSITIVE_INFINITY;
  for (let flow = 0; flow < ROUNDS; flow++) {
    take(decoder, first, flow % FLOWS, 0, 0);
    const begun = process.hrtime.bigint();
    for (let at = 0; at < SEGMENTS; at++) {
      take(decoder, frames[at] as Frame, flow % FLOWS, at + 1, verdict);
    }
    best = Math.min(best, Number(process.hrtime.bigint() - begun) / SEGMENTS);
  }
  return best;
}

function frameAt(payload: Bytes, sequence: number): Frame {
  return frameOf(tcpFrame({ destinationPort: 40_000, sequence, payload }));
}

function take(decoder: Decoder, frame: Frame, flow: number, before: number, verdict: number): void {
  const { packet } = decoder;
  decoder.headers(frame);
  packet.flow = flow;
  packet.flowPackets = PACKETS_BEFORE + before;
  decoder.application(verdict);
  decoder.count();
}
