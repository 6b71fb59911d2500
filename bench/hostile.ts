// SPDX-License-Identifier: AGPL-3.0-or-later
import { seededRandom } from "../scripts/fixtures/bytes.ts";
import { emptyFrame, type Frame } from "../src/capture/source.ts";
import type { Decoder } from "../src/decode/decoder.ts";
import { MAX_FINGERPRINTED } from "../src/decode/fingerprint.ts";
import {
  type Bytes,
  bytes,
  clientHello,
  dnsMessage,
  frameOf,
  handshakeRecord,
  hex,
  tcpFrame,
  udpFrame,
} from "../test/decode/frames.ts";
import { rowsAgainst } from "./against.ts";
import type { Row } from "./bench.ts";
import { measure, repeated, STAGES } from "./decode-load.ts";
import { BROWSER_CIPHERS, browserHello, listsHello, longHello, numbers } from "./hostile-hellos.ts";
import { http2Rows } from "./hostile-http2.ts";

/** Answers in the DNS message that hostile ones are compared with. */
const DNS_RECORDS = 30;

/** More than are kept, so that each is new each time. */
const HELLOS = 1_100;
const HELLO_ROUNDS = 20;
/** Hellos whose time is taken together: short, so that other work on the machine seldom comes between. */
const TOGETHER = 20;
const SEGMENT_BYTES = 1460;
/** What a client may spread over the segments that are put together. */
const LONGEST_BYTES = 16_384;
/** Packets of a flow before its hello: the handshake of TCP. */
const PACKETS_BEFORE = 3;
const FLOWS = 0x10000;
/** Packets made to take long, each against a good one of its protocol. */
export async function hostileRows(decoder: Decoder, say: (line: string) => void): Promise<Row[]> {
  return [...dnsRows(decoder, say), ...helloRows(decoder, say), ...(await http2Rows(decoder, say))];
}

/** DNS that lies about its counts, against a good answer of the same length. */
function dnsRows(decoder: Decoder, say: (line: string) => void): Row[] {
  const record = bytes(hex("c00c 0001 0001 0000003c 0004 c0000201"));
  const tail = bytes(...Array.from({ length: DNS_RECORDS }, () => record));
  const time = (payload: Bytes): number => {
    const content = udpFrame({ sourcePort: 53, payload });
    return measure(decoder, emptyFrame(), repeated(content), STAGES.length, 0);
  };
  const response = { flags: 0x8180, tail } as const;
  const good = time(dnsMessage({ ...response, answers: DNS_RECORDS }));
  const loop = bytes(dnsMessage({ flags: 0x8180 }).subarray(0, 12), hex("c00c 0001 0001"), tail);
  const hostile = {
    "DNS with 65,535 answers": time(dnsMessage({ ...response, answers: 65_535 })),
    "DNS with 65,535 questions": time(dnsMessage({ ...response, questions: 65_535 })),
    "DNS with a name that points to itself": time(loop),
  };
  return rowsAgainst(hostile, "a good answer as long", good, say);
}

/**
 * TLS hellos, each of another client, against one of a browser, which shuffles its extensions so that no two hellos have
 * one JA3. Time is that of a packet: a hello of many segments may take as long as so many of one.
 */
function helloRows(decoder: Decoder, say: (line: string) => void): Row[] {
  const random = seededRandom(1);
  const time = (make: () => Bytes): number => {
    const hellos = Array.from({ length: HELLOS }, () => segmentsOf(handshakeRecord(make())));
    return measureHellos(decoder, hellos);
  };
  const known = time(() => browserHello(random, BROWSER_CIPHERS));
  const good = time(() => browserHello(random, numbers(random, BROWSER_CIPHERS.length)));
  say(`TLS hello of a browser: ${known.toFixed(0)} ns where its ciphers are known`);
  const hostile = {
    "TLS hello with as many ciphers as are hashed": time(() =>
      clientHello({ ciphers: numbers(random, MAX_FINGERPRINTED) }),
    ),
    "TLS hello with as much in lists as is hashed": time(() =>
      listsHello(random, MAX_FINGERPRINTED / 4),
    ),
    "TLS hello with 2,000 entries in lists": time(() => listsHello(random, 500)),
    "TLS hello that fills a segment with extensions": time(() =>
      longHello(random, SEGMENT_BYTES, SEGMENT_BYTES),
    ),
    "TLS hello of 16 KiB of ciphers": time(() => longHello(random, LONGEST_BYTES, 0)),
    "TLS hello of 16 KiB of extensions": time(() =>
      longHello(random, LONGEST_BYTES, LONGEST_BYTES),
    ),
  };
  return rowsAgainst(hostile, "a browser's hello", good, say);
}

function segmentsOf(stream: Bytes): Bytes[] {
  const segments: Bytes[] = [];
  const size = Math.max(SEGMENT_BYTES, Math.ceil(stream.length / 8));
  for (let at = 0; at < stream.length; at += size) {
    const payload = stream.subarray(at, at + size);
    segments.push(tcpFrame({ destinationPort: 443, sequence: 1 + at, payload }));
  }
  return segments;
}

/**
 * Nanoseconds a packet, the best of the rounds for each few hellos; each hello comes in a flow of its own, and in a second of
 * its own, so that what is rationed is done.
 */
function measureHellos(decoder: Decoder, hellos: readonly (readonly Bytes[])[]): number {
  const frames = hellos.map((segments) => segments.map((content) => frameOf(content)));
  const best = new Float64Array(Math.ceil(hellos.length / TOGETHER)).fill(Number.POSITIVE_INFINITY);
  const { packet } = decoder;
  let flow = 0;
  let seconds = 1_800_000_000;
  const take = (segments: readonly Frame[]): void => {
    flow = (flow + 1) % FLOWS;
    seconds += 10;
    let verdict = 0;
    for (const [i, frame] of segments.entries()) {
      frame.seconds = seconds;
      decoder.headers(frame);
      packet.flow = flow;
      packet.flowPackets = PACKETS_BEFORE + i;
      verdict = decoder.application(verdict);
      decoder.count();
    }
  };
  for (let round = 0; round < HELLO_ROUNDS; round++) {
    for (let part = 0; part < best.length; part++) {
      const few = frames.slice(part * TOGETHER, (part + 1) * TOGETHER);
      const before = process.hrtime.bigint();
      few.forEach(take);
      best[part] = Math.min(best[part] ?? 0, Number(process.hrtime.bigint() - before));
    }
  }
  return best.reduce((sum, one) => sum + one, 0) / frames.flat().length;
}
