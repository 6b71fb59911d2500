// SPDX-License-Identifier: AGPL-3.0-or-later
// TLS and QUIC connections of which only the handshake can be read.
import { seededRandom } from "../../scripts/fixtures/bytes.ts";
import {
  applicationData,
  type ClientHelloFields,
  clientHelloMessage,
  handshakeRecord,
  serverHelloMessage,
} from "../../scripts/fixtures/messages.ts";
import { cryptoFrame, initialKeys, initialPacket, QUIC_1 } from "../../scripts/fixtures/quic.ts";
import { type Bytes, bytes, hex, udp } from "../decode/frames.ts";
import { type Ends, type FrameTaker, Talk, TalkClock, TcpTalk } from "./talk.ts";

const RECORD_OVERHEAD = 5;
const CHANGE_CIPHER_SPEC = hex("1403030001 01");
const TLS13 = hex("002b 0002 0304");
const ORIGINAL = Buffer.from(hex("8394c8f03e515708"));
const CLIENT_ID = Buffer.from(hex("c1c2c3"));
const SERVER_ID = Buffer.from(hex("f067a5502a4262b5"));
/** First byte of a packet with a short header (RFC 9000 §17.3). */
const SHORT_HEADER = 0x40;

export interface TalkOptions extends Ends {
  readonly serverName?: string;
  readonly alpn?: readonly string[];
  /** Longest segment. */
  readonly segmentBytes?: number;
}

/** What a client sends at the end of its handshake, which counts with its first request. */
export const FINISHED_BYTES = 64;

/** A TLS 1.3 connection, whose hellos come in one segment each. */
export class TlsTalk extends TcpTalk {
  constructor(taker: FrameTaker, options: TalkOptions = {}, clock = new TalkClock()) {
    super(taker, options, clock, options);
    this.segment(true, handshakeRecord(0x0301, helloOf(options, "http/1.1")));
    this.wait(10);
    const answer = serverHelloMessage(seededRandom(2), Buffer.from(TLS13));
    this.segment(false, bytes(handshakeRecord(0x0303, answer), CHANGE_CIPHER_SPEC));
    this.segment(false, applicationData(900));
    this.wait(1);
    this.segment(true, bytes(CHANGE_CIPHER_SPEC, applicationData(53)));
  }

  /** What the client sends: a record of `length` bytes. */
  up(length: number): void {
    this.say(true, applicationData(length - RECORD_OVERHEAD));
  }

  down(length: number): void {
    this.say(false, applicationData(length - RECORD_OVERHEAD));
  }

  stream(reply: Partial<Stream> = {}): void {
    haveStream(this, reply);
  }
}

/** A QUIC connection. */
export class QuicTalk extends Talk {
  constructor(taker: FrameTaker, options: TalkOptions = {}, clock = new TalkClock()) {
    super(taker, options, clock);
    const ids = { to: ORIGINAL, from: CLIENT_ID };
    const keys = initialKeys(QUIC_1, ORIGINAL, "client");
    const fields = { version: QUIC_1, keys, ...ids, paddedTo: 1200 };
    this.#datagram(true, initialPacket({ ...fields, frames: cryptoFrame(helloOf(options, "h3")) }));
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

  /** What the client sends: a datagram of `length` bytes. */
  up(length: number): void {
    this.#short(true, length);
  }

  down(length: number): void {
    this.#short(false, length);
  }

  stream(reply: Partial<Stream> = {}): void {
    haveStream(this, reply);
  }

  #short(isFromClient: boolean, length: number): void {
    this.#datagram(isFromClient, bytes(SHORT_HEADER, Buffer.alloc(length - 1, 0xed)));
  }

  #datagram(isFromClient: boolean, payload: Bytes): void {
    this.packet(isFromClient, 17, udp({ ...this.ports(isFromClient), payload }));
  }
}

interface Stream {
  readonly up: number;
  readonly events: number;
  readonly eventBytes: number;
  readonly gapMs: number;
}

/** A request, and a token stream in return: one event each `gapMs`. */
function haveStream(
  talk: TlsTalk | QuicTalk,
  { up = 1000, events = 80, eventBytes = 300, gapMs = 20 }: Partial<Stream>,
): void {
  talk.up(up);
  talk.wait(300);
  talk.down(500);
  for (let at = 0; at < events; at++) {
    talk.wait(gapMs);
    talk.down(eventBytes);
  }
  talk.wait(50);
}

function helloOf({ alpn, serverName }: TalkOptions, usual: string): Buffer {
  const fields: ClientHelloFields = { tls13: true, alpn: alpn ?? [usual] };
  return clientHelloMessage(
    seededRandom(1),
    serverName === undefined ? fields : { ...fields, serverName },
  );
}
