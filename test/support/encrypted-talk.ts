// SPDX-License-Identifier: AGPL-3.0-or-later
// TLS and QUIC connections of which only the handshake can be read, packet by packet, in a time of their own.
import { seededRandom } from "../../scripts/fixtures/bytes.ts";
import {
  applicationData,
  type ClientHelloFields,
  clientHelloMessage,
  handshakeRecord,
  serverHelloMessage,
} from "../../scripts/fixtures/messages.ts";
import { cryptoFrame, initialKeys, initialPacket, QUIC_1 } from "../../scripts/fixtures/quic.ts";
import type { Frame } from "../../src/capture/source.ts";
import { type Bytes, bytes, ethernet, frameOf, hex, ipv4, tcp, udp } from "../decode/frames.ts";

const START_SECONDS = 1_790_000_000;
const RECORD_OVERHEAD = 5;
const MSS = 1448;
const CHANGE_CIPHER_SPEC = hex("1403030001 01");
const TLS13 = hex("002b 0002 0304");
const ORIGINAL = Buffer.from(hex("8394c8f03e515708"));
const CLIENT_ID = Buffer.from(hex("c1c2c3"));
const SERVER_ID = Buffer.from(hex("f067a5502a4262b5"));
/** First byte of a packet with a short header (RFC 9000 §17.3). */
const SHORT_HEADER = 0x40;

export interface TalkOptions {
  readonly client?: string;
  readonly server?: string;
  readonly clientPort?: number;
  readonly serverName?: string;
  readonly alpn?: readonly string[];
  /** Longest segment. */
  readonly segmentBytes?: number;
}

/** Takes frames, as CallBench does. */
export interface FrameTaker {
  frame(frame: Frame): void;
}

/** Time that several talks share, in milliseconds. */
export class TalkClock {
  nowMs = 0;
}

/** What both kinds of talk are: ends, and packets between them at the clock's time. */
abstract class Talk {
  readonly clock: TalkClock;
  /** True for the packets that are lost before the capture. */
  isLost: (packet: number) => boolean = () => false;
  protected readonly ends: Required<Omit<TalkOptions, "serverName">>;
  protected readonly hello: Buffer;
  readonly #taker: FrameTaker;
  #packets = 0;

  constructor(taker: FrameTaker, options: TalkOptions, clock: TalkClock, alpn: string) {
    const { serverName } = options;
    this.#taker = taker;
    this.clock = clock;
    this.ends = {
      ...{ client: "10.0.0.5", server: "198.51.100.20", clientPort: 50_000, alpn: [alpn] },
      ...{ segmentBytes: MSS, ...options },
    };
    const fields: ClientHelloFields = { tls13: true, alpn: this.ends.alpn };
    this.hello = clientHelloMessage(
      seededRandom(1),
      serverName === undefined ? fields : { ...fields, serverName },
    );
  }

  /** What the client sends, `length` bytes of records or a datagram. */
  abstract up(length: number): void;
  abstract down(length: number): void;

  wait(ms: number): void {
    this.clock.nowMs += ms;
  }

  /** A request, and a token stream in return: one event each `gapMs`. */
  stream({ up = 1000, events = 80, eventBytes = 300, gapMs = 20 } = {}): void {
    this.up(up);
    this.wait(300);
    this.down(500);
    for (let at = 0; at < events; at++) {
      this.wait(gapMs);
      this.down(eventBytes);
    }
    this.wait(50);
  }

  protected packet(isFromClient: boolean, protocol: number, payload: Bytes): void {
    this.#packets++;
    if (this.isLost(this.#packets)) return;
    const { client, server } = this.ends;
    const ends = isFromClient
      ? { source: client, destination: server }
      : { source: server, destination: client };
    const { nowMs } = this.clock;
    this.#taker.frame(
      frameOf(ethernet(0x0800, ipv4({ protocol, payload, ...ends })), {
        seconds: START_SECONDS + Math.floor(nowMs / 1000),
        nanoseconds: Math.round((nowMs % 1000) * 1e6),
      }),
    );
  }
}

/** What a client sends at the end of its handshake, which counts with its first request. */
export const FINISHED_BYTES = 64;

/** A TLS 1.3 connection, whose hellos come in one segment each. */
export class TlsTalk extends Talk {
  readonly #next = { client: 1000, server: 0xffff_ff00 };

  constructor(taker: FrameTaker, options: TalkOptions = {}, clock = new TalkClock()) {
    super(taker, options, clock, "http/1.1");
    this.segment(true, bytes(), 0x02);
    this.segment(false, bytes(), 0x12);
    this.segment(true, bytes(), 0x10);
    this.segment(true, handshakeRecord(0x0301, this.hello));
    this.wait(10);
    const answer = serverHelloMessage(seededRandom(2), Buffer.from(TLS13));
    this.segment(false, bytes(handshakeRecord(0x0303, answer), CHANGE_CIPHER_SPEC));
    this.segment(false, applicationData(900));
    this.wait(1);
    this.segment(true, bytes(CHANGE_CIPHER_SPEC, applicationData(53)));
  }

  up(length: number): void {
    this.say(true, applicationData(length - RECORD_OVERHEAD));
  }

  down(length: number): void {
    this.say(false, applicationData(length - RECORD_OVERHEAD));
  }

  close(): void {
    this.segment(true, bytes(), 0x11);
  }

  /** Bytes of the stream, in segments. */
  say(isFromClient: boolean, data: Bytes): void {
    for (let at = 0; at < data.length; at += this.ends.segmentBytes) {
      this.segment(isFromClient, data.subarray(at, at + this.ends.segmentBytes));
    }
  }

  /** One segment; `back` bytes before the place where the stream stands, as a retransmission is. */
  segment(isFromClient: boolean, payload: Bytes, flags = 0x18, back = 0): void {
    const side = isFromClient ? "client" : "server";
    const sequence = (this.#next[side] - back) >>> 0;
    const grows = payload.length + ((flags & 0x03) === 0 ? 0 : 1);
    this.#next[side] = Math.max(0, this.#next[side] + grows - back) >>> 0;
    const ports = isFromClient
      ? { sourcePort: this.ends.clientPort, destinationPort: 443 }
      : { sourcePort: 443, destinationPort: this.ends.clientPort };
    this.packet(isFromClient, 6, tcp({ ...ports, sequence, flags, payload }));
  }
}

/** A QUIC connection. */
export class QuicTalk extends Talk {
  constructor(taker: FrameTaker, options: TalkOptions = {}, clock = new TalkClock()) {
    super(taker, options, clock, "h3");
    const ids = { to: ORIGINAL, from: CLIENT_ID };
    const keys = initialKeys(QUIC_1, ORIGINAL, "client");
    const fields = { version: QUIC_1, keys, ...ids, paddedTo: 1200 };
    this.#datagram(true, initialPacket({ ...fields, frames: cryptoFrame(this.hello) }));
    this.wait(10);
    const answer = serverHelloMessage(seededRandom(2), Buffer.from(TLS13));
    this.#datagram(
      false,
      initialPacket({
        ...{ version: QUIC_1, keys: initialKeys(QUIC_1, ORIGINAL, "server") },
        ...{ to: CLIENT_ID, from: SERVER_ID, frames: cryptoFrame(answer), paddedTo: 1200 },
      }),
    );
  }

  up(length: number): void {
    this.#short(true, length);
  }

  down(length: number): void {
    this.#short(false, length);
  }

  #short(isFromClient: boolean, length: number): void {
    this.#datagram(isFromClient, bytes(SHORT_HEADER, Buffer.alloc(length - 1, 0xed)));
  }

  #datagram(isFromClient: boolean, payload: Bytes): void {
    const ports = isFromClient
      ? { sourcePort: this.ends.clientPort, destinationPort: 443 }
      : { sourcePort: 443, destinationPort: this.ends.clientPort };
    this.packet(isFromClient, 17, udp({ ...ports, payload }));
  }
}
