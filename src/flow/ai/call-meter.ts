// SPDX-License-Identifier: AGPL-3.0-or-later
import { f64, u8 } from "../../util/typed.ts";
import { LARGE_BYTES, StreamShape } from "./stream-shape.ts";
import { WATCHED } from "./watch-rows.ts";

/**
 * Upload from which on what a client sends is a request of a call; a chat request is some hundred bytes at least. In clear
 * text the reply tells whether it is a call.
 */
const UPLOAD_MIN = byTransport(200, 200, 200, 1);
/** What a client sends during a reply and is larger begins the next call; window updates and pings are smaller. */
const CONTROL_MAX = 100;
/** A model may think for minutes before its first byte. */
const WAIT_MS = 600_000;
/** A server silent for so long, once it began, has said all; in clear text it is known when it has. */
const SILENCE_MS = byTransport(10_000, 10_000, 10_000, WAIT_MS);
/**
 * A reply no longer than this that the client answers with more was none: it let the client go on, as a 100 (RFC 9110 §15.2.1:
 * 47 bytes in TLS 1.3, at most 69 before), or settings and windows of HTTP/2 and QUIC. Every real reply of HTTP/1.1 is longer.
 */
const INTERIM_MAX = byTransport(72, 160, 160, 0);
/** Session tickets follow a client's Finished within a round trip; a reply comes later. At most so many are told apart. */
const TICKETS_MAX = 4;
const TICKET_MS = 2;
/** As many large records of a reply, if most are large, show that it is no token stream. */
const LARGE_ENOUGH = 8;

/** Values by position in AI_TRANSPORTS. */
function byTransport(http1: number, other: number, quic: number, plain: number): Float64Array {
  return Float64Array.of(http1, other, quic, plain);
}

const Phase = { IDLE: 0, ASKING: 1, REPLYING: 2 } as const;
const { IDLE, ASKING, REPLYING } = Phase;

/** Told of each call when it is over: its numbers are those of the row until it returns. */
export interface CallListener {
  onCallEnd(row: number): void;
}

/**
 * Finds the calls in what the two ends of a watched flow send in turn: a call begins with the client's first bytes after
 * the server's, and ends when the client sends again, or the server is silent. Times are milliseconds of flow time,
 * with fractions; bytes are those of TLS records, or of datagrams.
 */
export class CallMeter {
  readonly shape = new StreamShape();
  readonly up = new Float64Array(WATCHED);
  readonly down = new Float64Array(WATCHED);
  /** When the client's first byte came, the server's first (in clear text that of the body), and its last. */
  readonly startMs = new Float64Array(WATCHED);
  readonly firstMs = new Float64Array(WATCHED);
  readonly lastMs = new Float64Array(WATCHED);
  readonly #listener: CallListener;
  readonly #phase = new Uint8Array(WATCHED);
  /** What the client has sent since the server's last byte. */
  readonly #sent = new Float64Array(WATCHED);
  readonly #sentMs = new Float64Array(WATCHED);
  readonly #askedMs = new Float64Array(WATCHED);
  readonly #tickets = new Uint8Array(WATCHED);
  /** Position in AI_TRANSPORTS. */
  readonly #transport = new Uint8Array(WATCHED);
  /** 1 while all of a reply so far is a header. */
  readonly #inHeader = new Uint8Array(WATCHED);
  readonly #ticketMs = new Float64Array(WATCHED);

  constructor(listener: CallListener) {
    this.#listener = listener;
  }

  /**
   * A connection whose first hello, or first request in clear text, came at `nowMs`; `transport`: a position in AI_TRANSPORTS.
   * In clear text whatever is answered is a call, until `end` says that the reply is whole.
   */
  begin(row: number, nowMs: number, transport: number): void {
    this.#transport[row] = transport;
    this.#phase[row] = IDLE;
    this.#sent[row] = 0;
    this.#tickets[row] = TICKETS_MAX;
    this.#ticketMs[row] = -1;
    this.#sentMs[row] = nowMs;
  }

  /** The server has greeted: how long that took says how soon its session tickets come. */
  greeted(row: number, nowMs: number): void {
    if (f64(this.#ticketMs, row) >= 0) return;
    this.#ticketMs[row] = TICKET_MS + 2 * (nowMs - f64(this.#sentMs, row));
    this.#sent[row] = 0;
  }

  /** The client sent `bytes`. */
  fromClient(row: number, bytes: number, nowMs: number): void {
    this.elapse(row, nowMs);
    const phase = u8(this.#phase, row);
    const sent = f64(this.#sent, row);
    // What is less than a request, as the end of a handshake, may have waited long for the one that follows.
    if (sent < this.#least(row)) this.#sentMs[row] = nowMs;
    this.#sent[row] = sent + bytes;
    this.#askedMs[row] = nowMs;
    if (phase === IDLE) this.#phase[row] = ASKING;
    if (phase !== REPLYING) return;
    this.shape.addClient(row);
    if (bytes <= CONTROL_MAX && bytes < this.#least(row)) return;
    if (f64(this.down, row) <= f64(INTERIM_MAX, u8(this.#transport, row))) this.#resume(row, bytes);
    else this.end(row);
    this.#phase[row] = ASKING;
  }

  /** The server sent `bytes`; `isHeader`: behind them the body of the reply is yet to begin. */
  fromServer(row: number, bytes: number, nowMs: number, isHeader = false): void {
    this.elapse(row, nowMs);
    const phase = u8(this.#phase, row);
    if (phase === ASKING) {
      if (this.#isTicket(row, bytes, nowMs)) return;
      this.#answer(row, nowMs);
    }
    if (u8(this.#phase, row) !== REPLYING) return;
    if (u8(this.#inHeader, row) === 1) this.firstMs[row] = nowMs;
    this.#inHeader[row] = isHeader ? 1 : 0;
    this.#sent[row] = 0;
    this.down[row] = f64(this.down, row) + bytes;
    this.shape.add(row, bytes, nowMs - f64(this.lastMs, row));
    this.lastMs[row] = nowMs;
  }

  /** True while the client waits for a reply that has not begun. */
  isAsking(row: number): boolean {
    return u8(this.#phase, row) === ASKING;
  }

  /** True while a call is being answered. */
  isReplying(row: number): boolean {
    return u8(this.#phase, row) === REPLYING;
  }

  /** True where the present reply is shown to be no token stream by the size of its records. */
  isBulk(row: number): boolean {
    const large = this.shape.large(row);
    return large >= LARGE_ENOUGH && 2 * large > this.shape.records(row) && this.isReplying(row);
  }

  /** Ends a call whose server has been silent for too long. */
  elapse(row: number, nowMs: number): void {
    const phase = u8(this.#phase, row);
    const silence = nowMs - f64(this.lastMs, row);
    const isOver = silence >= f64(SILENCE_MS, u8(this.#transport, row));
    if (phase === REPLYING && isOver) this.end(row);
    else if (phase === ASKING && nowMs - f64(this.#askedMs, row) >= WAIT_MS) this.#rest(row);
  }

  /** Ends the row's call, if one is being answered. */
  end(row: number): void {
    if (u8(this.#phase, row) !== REPLYING) return;
    this.#phase[row] = IDLE;
    this.#listener.onCallEnd(row);
  }

  #least(row: number): number {
    return f64(UPLOAD_MIN, u8(this.#transport, row));
  }

  /** The client goes on with the request that it had begun. */
  #resume(row: number, bytes: number): void {
    this.#sent[row] = f64(this.up, row) + bytes;
    this.#sentMs[row] = f64(this.startMs, row);
  }

  #rest(row: number): void {
    this.#phase[row] = IDLE;
    this.#sent[row] = 0;
  }

  #answer(row: number, nowMs: number): void {
    const sent = f64(this.#sent, row);
    this.#tickets[row] = 0;
    if (sent < this.#least(row)) {
      this.#rest(row);
      return;
    }
    this.#phase[row] = REPLYING;
    this.up[row] = sent;
    this.down[row] = 0;
    this.startMs[row] = f64(this.#sentMs, row);
    this.firstMs[row] = nowMs;
    this.lastMs[row] = nowMs;
    this.#inHeader[row] = 0;
    this.shape.begin(row);
  }

  /** Session tickets (RFC 8446 §4.6.1) look like data, and come in answer to the handshake. */
  #isTicket(row: number, bytes: number, nowMs: number): boolean {
    const left = u8(this.#tickets, row);
    const isSoon = nowMs - f64(this.#askedMs, row) <= f64(this.#ticketMs, row);
    if (left === 0 || bytes >= LARGE_BYTES || !isSoon) return false;
    this.#tickets[row] = left - 1;
    return true;
  }
}
