// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { u8 } from "../util/typed.ts";
import {
  ASSEMBLY_BYTES,
  Assembly,
  assemblyMetric,
  GivenUp,
  NO_BUFFER,
  payloadSequence,
} from "./assembly.ts";
import { CertificateNotes } from "./certificate-notes.ts";
import { type ClientHelloNotes, createClientHelloNotes } from "./client-hello-notes.ts";
import type { Packet } from "./packet.ts";
import { type DecodeContext, SETTLED, Stop, short } from "./protocol.ts";
import { ReadStreams } from "./read-streams.ts";
import { createServerHelloNotes, type ServerHelloNotes } from "./server-hello-notes.ts";
import { ssl2VersionAt } from "./ssl2-hello.ts";
import {
  CERTIFICATE,
  CLIENT_HELLO,
  CONTENT_HANDSHAKE,
  HandshakeMessages,
  helloAt,
  helloTypeAt,
  SERVER_HELLO,
  startsRecord,
} from "./tls-record.ts";

const { DONE, MALFORMED } = Stop;
/** Streams at once whose hello or certificate spans segments: 4 MiB. */
const BUFFERS = 256;
/** Packets of a flow among which its handshake is, a STARTTLS or CONNECT before it included. */
const HANDSHAKE_PACKETS = 48;
/** Packets of a flow among which the first segment of a hello is, even where it is not the first to arrive. */
const YOUNG_PACKETS = 10;
/** Room for segments that are yet to come before the first one seen. */
const ROOM_BEFORE = ASSEMBLY_BYTES / 2;
/** A handshake that begins later than HANDSHAKE_PACKETS gets so much time for its other segments. */
const LATE_SECONDS = 5;
const TLS_1_2 = 0x0303;
/** What has been read of a stream. */
const Heard = { NOTHING: 0, SERVER_HELLO: 1 } as const;

export const tlsAssembly: MetricDefinition = assemblyMetric("tls", "Hellos and certificates");

/** Reads what both sides of TLS connections say in clear text: hellos and, up to TLS 1.2, the server's certificate. */
export class TlsStreams {
  readonly clientHellos: ClientHelloNotes;
  readonly serverHellos: ServerHelloNotes;
  readonly certificates: CertificateNotes;
  readonly #pool: Assembly;
  readonly #heard: Uint8Array;
  readonly #read = new ReadStreams();
  readonly #messages = new HandshakeMessages();
  /** True when the last `#take` found that nothing more of the stream is of interest. */
  #isDone = false;
  #hasHeard: number = Heard.NOTHING;
  #lateUntil = 0;

  constructor(context: DecodeContext) {
    this.clientHellos = context.shared(createClientHelloNotes);
    this.serverHellos = context.shared(createServerHelloNotes);
    this.certificates = new CertificateNotes(context);
    this.#pool = new Assembly(BUFFERS, context.counters, context.base(tlsAssembly));
    this.#heard = new Uint8Array(this.#pool.capacity);
  }

  /** Reads a segment of a TLS connection; returns a Stop, or SETTLED when both sides' handshakes were read. */
  decode(packet: Packet): number {
    const { view, payloadAt, payloadEnd } = packet;
    if (payloadAt >= payloadEnd) return DONE;
    // Nearly every packet: the handshake is over.
    if (packet.flowPackets > HANDSHAKE_PACKETS && packet.seconds > this.#lateUntil) {
      if (view.getUint8(payloadAt) !== CONTENT_HANDSHAKE) return SETTLED;
    }
    const buffer = this.#pool.find(packet);
    if (buffer !== NO_BUFFER) return this.#resume(packet, buffer);
    const at = helloAt(view, payloadAt, payloadEnd);
    if (helloTypeAt(view, at, payloadEnd) !== 0) return this.#begin(packet);
    const version = ssl2VersionAt(view, payloadAt, payloadEnd);
    if (version >= 0) this.clientHellos.noteSsl2(packet, version);
    else this.gathers(packet);
    return DONE;
  }

  /**
   * Keeps a segment of a young flow that may be the middle of a hello whose start is late, or a start too short to
   * tell. True when a hello's start is there now.
   */
  gathers(packet: Packet): boolean {
    const { view, payloadAt, payloadEnd } = packet;
    if (packet.flow < 0 || packet.flowPackets > HANDSHAKE_PACKETS || isCut(packet)) return false;
    let buffer = this.#pool.find(packet);
    if (buffer === NO_BUFFER) {
      if (packet.flowPackets > YOUNG_PACKETS || this.#read.has(packet)) return false;
      const isOther = startsRecord(view, payloadAt, payloadEnd);
      if (isOther && view.getUint8(payloadAt) !== CONTENT_HANDSHAKE) return false;
      // Of a connection that was there before the capture it is hardly ever a hello: none makes room for that.
      if (packet.flowMidway && !this.#pool.hasRoom(packet)) return false;
      buffer = this.#pool.open(packet, (payloadSequence(packet) - ROOM_BEFORE) | 0, true);
      this.#heard[buffer] = Heard.NOTHING;
    }
    return this.#add(packet, buffer) >= 0 && this.#hasStart(packet, buffer);
  }

  /** Adds the payload; where that is too much the stream is left alone from here on. */
  #add(packet: Packet, buffer: number): number {
    const { payloadAt, payloadEnd } = packet;
    const offset = this.#pool.offset(buffer, packet);
    const length = this.#pool.add(buffer, packet, payloadAt, payloadEnd, offset);
    if (length < 0) this.#read.add(packet, payloadSequence(packet));
    return length;
  }

  /** True when the buffer begins with a hello; gaps before the hello are taken away. */
  #hasStart(packet: Packet, buffer: number): boolean {
    const pool = this.#pool;
    if (pool.length(buffer) > 0) return true;
    const start = pool.start(buffer);
    if (helloTypeAt(pool.view(buffer), start, start + pool.runLength(buffer)) === 0) return false;
    pool.consume(buffer, start, packet);
    return true;
  }

  /** A segment that begins with a hello. */
  #begin(packet: Packet): number {
    if (this.#read.isRepeated(packet)) return DONE;
    this.#messages.read(packet.view, packet.payloadAt, packet.payloadEnd);
    const stop = this.#take(packet, Heard.NOTHING);
    if (this.#isDone) return this.#finish(packet, payloadSequence(packet), stop);
    if (isCut(packet)) return this.#hasHeard === Heard.NOTHING ? short(packet) : DONE;
    const buffer = this.#pool.open(packet, payloadSequence(packet));
    this.#heard[buffer] = this.#hasHeard;
    this.#add(packet, buffer);
    if (packet.flowPackets > HANDSHAKE_PACKETS) this.#lateUntil = packet.seconds + LATE_SECONDS;
    this.#limit(packet, buffer);
    return DONE;
  }

  /** A segment of a stream of which others are kept. */
  #resume(packet: Packet, buffer: number): number {
    const pool = this.#pool;
    const base = (payloadSequence(packet) - pool.offset(buffer, packet)) | 0;
    if (this.#add(packet, buffer) < 0 || !this.#hasStart(packet, buffer)) return DONE;
    this.#messages.read(pool.view(buffer), 0, pool.length(buffer));
    const stop = this.#take(packet, u8(this.#heard, buffer));
    if (this.#isDone) {
      pool.close(buffer);
      return this.#finish(packet, base, stop);
    }
    this.#heard[buffer] = this.#hasHeard;
    this.#limit(packet, buffer);
    return DONE;
  }

  /** Nothing more of the stream is of interest, nor of the flow when that is true of its other side. */
  #finish(packet: Packet, base: number, stop: number): number {
    this.#read.add(packet, base);
    if (stop !== DONE || !this.#read.hasBoth(packet)) return stop;
    const { facts } = this.serverHellos;
    return facts.packet === packet.number && facts.isRetry ? DONE : SETTLED;
  }

  /** Gives up a stream whose message is, or says that it will be, longer than a buffer. */
  #limit(packet: Packet, buffer: number): void {
    if (this.#messages.endOf(0) <= ASSEMBLY_BYTES && !this.#pool.isFull(buffer)) return;
    this.#pool.giveUp(buffer, GivenUp.BYTES);
    this.#read.add(packet, payloadSequence(packet));
  }

  /** Reads the messages that are whole, but for those that `heard` says were read before. */
  #take(packet: Packet, heard: number): number {
    const messages = this.#messages;
    const { view, length } = messages;
    const end = messages.endOf(0);
    this.#hasHeard = heard;
    this.#isDone = messages.isOver;
    if (end < 0 || end > length) return messages.isOver ? MALFORMED : DONE;
    if (messages.typeAt(0) === CLIENT_HELLO) {
      this.#isDone = true;
      return this.clientHellos.read(packet, "tcp", view, 0, end);
    }
    if (heard === Heard.NOTHING && messages.typeAt(0) === SERVER_HELLO) {
      const stop = this.serverHellos.read(packet, "tcp", view, 0, end);
      this.#hasHeard = Heard.SERVER_HELLO;
      if (stop !== DONE || this.serverHellos.hello.version > TLS_1_2) this.#isDone = true;
      if (stop !== DONE || this.#isDone) return stop;
    }
    this.#certificate(packet, end);
    return DONE;
  }

  /** The Certificate message follows the ServerHello, or there is none: a session is resumed. */
  #certificate(packet: Packet, at: number): void {
    const messages = this.#messages;
    const end = messages.endOf(at);
    if (end >= 0 && messages.typeAt(at) !== CERTIFICATE) this.#isDone = true;
    else if (end >= 0 && end <= messages.length) {
      this.certificates.read(packet, messages.view, at, end);
      this.#isDone = true;
    }
  }
}

/** True where the capture, not the sender, cut the payload. */
function isCut(packet: Packet): boolean {
  return packet.payloadEnd - packet.payloadAt < packet.payloadLength;
}
