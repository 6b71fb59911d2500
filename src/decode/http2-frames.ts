// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add, i32, u8 } from "../util/typed.ts";
import { Conversations } from "./conversations.ts";
import {
  FRAME_CELLS,
  FRAME_LABELS,
  FrameFlag,
  FrameType,
  HEADER_LENGTH,
  PREFACE_LENGTH,
  startsFrame,
  startsPreface,
} from "./http2-frame.ts";
import { Http2Headers } from "./http2-headers.ts";
import { type Packet, TcpFlag } from "./packet.ts";
import { type DecodeContext, Stop } from "./protocol.ts";

const SIDE_WORDS = 8;
/** Words of a side: sequence number of the byte to read next, and what is known of it. */
const NEXT = 0;
const PLACE = 1;
/** The frame header so far: its first four bytes, and its flags. */
const HEAD = 2;
const FLAGS = 3;
/** Of a frame with a part of a header block: bytes left, those before the block, and padding behind it. */
const LEFT = 4;
const BEFORE = 5;
const PADDING = 6;
/** What the side's header blocks are worth, and the type of frame that began one that has not ended, in the high bits. */
const BLOCKS = 7;
const TYPE_SHIFT = 8;

/** `PLACE` is 0 where no frame is known to start, else this and the bytes of a header that came already. */
const KNOWN = 1;
/** Length and type; then the flags. */
const HEAD_LENGTH = 4;
/** `PADDING` where the byte that says it is yet to come. */
const UNSAID = -1;
/** A side's blocks: nothing seen yet, its first frame seen and no block yet, any other. */
const Blocks = { NONE: 0, DUE: 1, OTHER: 2 } as const;
const PRIORITY_LENGTH = 5;
const PROMISE_LENGTH = 4;

/** No frame reaches farther: where the next one seems to, the place is lost. */
const FARTHEST = 0x1000000 + HEADER_LENGTH;

const { HEADERS, SETTINGS, PUSH_PROMISE, CONTINUATION } = FrameType;
const { ACK, END_HEADERS, PADDED, PRIORITY } = FrameFlag;

export const http2Frames: MetricDefinition = {
  name: "nam_http2_frames_total",
  help: "HTTP/2 frames in clear text by type; CONTINUATION counts as headers.",
  type: "counter",
  labels: { type: FRAME_LABELS },
};

/**
 * Follows the frames of HTTP/2 (RFC 9113 §4) by sequence numbers, bodies skipped unread; after a gap, from the next segment
 * that begins with one.
 */
export class Http2Frames {
  readonly #conversations: Conversations;
  readonly #words: Int32Array;
  readonly #headers: Http2Headers;
  readonly #counters: Float64Array;
  readonly #cells: number;
  #stop: number = Stop.DONE;

  constructor(context: DecodeContext) {
    this.#conversations = new Conversations(2 * SIDE_WORDS, context);
    this.#words = this.#conversations.state;
    this.#headers = new Http2Headers(context);
    this.#counters = context.counters;
    this.#cells = context.base(http2Frames);
  }

  /** Reads a segment; returns a Stop. With `from`, its first frame begins there, behind what is no HTTP/2. */
  read(packet: Packet, from = -1): number {
    const flow = this.#conversations.of(packet);
    if (flow < 0) return Stop.DONE;
    const words = this.#words;
    const { view, payloadAt, payloadEnd, tcpSequence } = packet;
    const side = flow + SIDE_WORDS * packet.flowSide;
    let at = from;
    if (from >= 0) words[side + PLACE] = KNOWN;
    else if (i32(words, side + PLACE) !== 0) {
      at = payloadAt + ((i32(words, side + NEXT) - tcpSequence) | 0);
      if (at > payloadAt + FARTHEST) at = -1;
    }
    if (at >= payloadAt + packet.payloadLength && from < 0) return Stop.DONE;
    this.#headers.turnTo(packet);
    if (at < payloadAt) {
      const isPreface = startsPreface(view, payloadAt, payloadEnd);
      if (!isPreface && !startsFrame(view, payloadAt, payloadEnd)) return Stop.DONE;
      if (i32(words, side + PLACE) !== 0) this.#lose(packet, side);
      at = payloadAt;
      words[side + PLACE] = KNOWN;
    }
    this.#stop = Stop.DONE;
    words[side + NEXT] = (tcpSequence + this.#walk(packet, at, side) - payloadAt) | 0;
    this.#headers.endSegment();
    return this.#stop;
  }

  /** Counts the frames from `from` on; returns where to read next, perhaps behind the segment. */
  #walk(packet: Packet, from: number, side: number): number {
    const words = this.#words;
    const { view, payloadEnd } = packet;
    let at = startsPreface(view, from, payloadEnd) ? from + PREFACE_LENGTH : from;
    if (at > from) this.#preface(packet, side);
    let got = i32(words, side + PLACE) - KNOWN;
    let head = i32(words, side + HEAD);
    while (at < payloadEnd) {
      if (i32(words, side + LEFT) > 0) {
        at = this.#block(packet, at, side);
        continue;
      }
      const byte = view.getUint8(at++);
      if (got < HEAD_LENGTH) head = (head << 8) | byte;
      else if (got === HEAD_LENGTH) words[side + FLAGS] = byte;
      got++;
      if (got < HEADER_LENGTH) continue;
      got = 0;
      at = this.#frame(packet, at, head & 0xff, head >>> 8, side);
    }
    words[side + PLACE] = got + KNOWN;
    words[side + HEAD] = head;
    return at;
  }

  /** The client begins, and the server's first byte is the one that it waits for. */
  #preface(packet: Packet, side: number): void {
    const words = this.#words;
    words[side + BLOCKS] = Blocks.DUE;
    const other = side + (packet.flowSide === 0 ? SIDE_WORDS : -SIDE_WORDS);
    if ((packet.tcpFlags & TcpFlag.ACK) === 0 || i32(words, other + PLACE) !== 0) return;
    words[other + PLACE] = KNOWN;
    words[other + NEXT] = packet.tcpAcknowledgment;
  }

  /** A frame's header is read, and its payload begins at `at`; returns where to go on. */
  #frame(packet: Packet, at: number, type: number, length: number, side: number): number {
    const words = this.#words;
    const flags = i32(words, side + FLAGS);
    if (type < FRAME_CELLS.length) add(this.#counters, this.#cells + u8(FRAME_CELLS, type), 1);
    let blocks = i32(words, side + BLOCKS);
    // A server's first frame; its client's follows the preface.
    if (blocks === Blocks.NONE) {
      blocks = type === SETTINGS && (flags & ACK) === 0 ? Blocks.DUE : Blocks.OTHER;
      words[side + BLOCKS] = blocks;
    }
    // §6.10: nothing but the rest of a block comes before its end.
    const isOpen = blocks >> TYPE_SHIFT !== 0;
    if (isOpen && type !== CONTINUATION) this.#broken(packet, side);
    if (type === CONTINUATION) {
      if (!isOpen) {
        this.#headers.lose(packet);
        return at + length;
      }
      words[side + BEFORE] = 0;
      words[side + PADDING] = 0;
    } else {
      if (type !== HEADERS && type !== PUSH_PROMISE) return at + length;
      this.#headers.begin(packet, i32(words, side + BLOCKS) === Blocks.DUE);
      words[side + BLOCKS] = Blocks.OTHER | (type << TYPE_SHIFT);
      words[side + BEFORE] = PROMISE_LENGTH;
      if (type === HEADERS) words[side + BEFORE] = (flags & PRIORITY) === 0 ? 0 : PRIORITY_LENGTH;
      words[side + PADDING] = (flags & PADDED) === 0 ? 0 : UNSAID;
    }
    words[side + LEFT] = length;
    return length === 0 ? this.#block(packet, at, side) : at;
  }

  /** Reads what there is of a frame with a part of a header block; returns where to go on, perhaps behind the segment. */
  #block(packet: Packet, from: number, side: number): number {
    const words = this.#words;
    const { view, payloadEnd } = packet;
    const frameEnd = from + i32(words, side + LEFT);
    let at = from;
    if (i32(words, side + PADDING) === UNSAID && at < frameEnd) {
      words[side + PADDING] = view.getUint8(at++);
    }
    const padding = i32(words, side + PADDING);
    const before = i32(words, side + BEFORE);
    const blockEnd = frameEnd - padding;
    if (padding === UNSAID || at + before > blockEnd) {
      words[side + LEFT] = 0;
      this.#broken(packet, side);
      return frameEnd;
    }
    const skipped = Math.min(before, payloadEnd - at);
    at += skipped;
    words[side + BEFORE] = before - skipped;
    const end = Math.min(blockEnd, payloadEnd);
    if (at < end) this.#headers.read(packet, at, end);
    if (end < blockEnd) {
      words[side + LEFT] = frameEnd - end;
      return end;
    }
    words[side + LEFT] = 0;
    if ((i32(words, side + FLAGS) & END_HEADERS) !== 0) this.#end(packet, side);
    return frameEnd;
  }

  #end(packet: Packet, side: number): void {
    const words = this.#words;
    const isPushed = i32(words, side + BLOCKS) >> TYPE_SHIFT === PUSH_PROMISE;
    words[side + BLOCKS] = Blocks.OTHER;
    const stop = this.#headers.end(packet, isPushed);
    if (stop !== Stop.DONE) this.#stop = stop;
  }

  #broken(packet: Packet, side: number): void {
    this.#words[side + BLOCKS] = Blocks.OTHER;
    const stop = this.#headers.broken(packet);
    if (stop !== Stop.DONE) this.#stop = stop;
  }

  /** A gap: whatever was open is over, and the side's table is not known. */
  #lose(packet: Packet, side: number): void {
    const words = this.#words;
    words[side + LEFT] = 0;
    words[side + BLOCKS] = Blocks.OTHER;
    this.#headers.lose(packet);
  }
}

/** For `context.shared`: one of them a decoder. */
export function createHttp2Frames(context: DecodeContext): Http2Frames {
  return new Http2Frames(context);
}
