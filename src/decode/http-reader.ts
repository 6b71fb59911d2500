// SPDX-License-Identifier: AGPL-3.0-or-later
import { lastingBytes } from "../util/lasting.ts";
import { i32 } from "../util/typed.ts";
import type { AgentSpeech } from "./agents/agent-speech.ts";
import { CONVERSATIONS } from "./conversations.ts";
import { Field } from "./http-field.ts";
import { methodAt, statusAt } from "./http-line.ts";
import { CHUNK_END, HttpMessages, type HttpSink, Line } from "./http-message.ts";
import {
  After,
  BODY_READ,
  FLOW_WORDS,
  forgetAsked,
  isAwaited,
  Mode,
  Role,
  SIDE_WORDS,
  Side,
} from "./http-state.ts";
import type { Packet } from "./packet.ts";
import { lineFeedAt } from "./text-line.ts";

/** As much of a line as tells what it is, kept where a segment ends within it. */
const LINE_KEPT = 64;
/** The longest line that is followed; servers allow 8 KiB. */
const LINE_MAX = 65_536;
/** Most lines of a segment: so many, and one for eight bytes. Only who wants to cost time sends more. */
const LINES_MAX = 64;
const LINE_SHIFT = 3;
const { NEXT, MODE, FIELDS, KEPT, ROLE } = Side;
const { UNKNOWN, START, HEADER, CHUNK } = Mode;
const { CLIENT, SERVER } = Role;

/**
 * Follows HTTP/1.x by sequence numbers: headers over segments, messages behind one another, bodies skipped unread but
 * for those that AgentSpeech asks for, and nothing twice that was sent twice. Where it has lost the place it waits for
 * a start line that begins a segment.
 */
export class HttpReader {
  /** The messages of the segment read last. */
  readonly messages: HttpMessages;
  /** True where that segment leaves a request's header unfinished. */
  headerOpen = false;
  /** As in HttpFacts. */
  responseRest = -1;
  bodyPending = false;
  /** Where what follows HTTP/1.x begins, when `read` has said that something does. */
  leftAt = 0;
  readonly #words: Int32Array;
  readonly #kept = new DataView(lastingBytes(CONVERSATIONS * 2 * LINE_KEPT));
  readonly #agents: AgentSpeech;
  #keptAt = 0;

  /** `words`: FLOW_WORDS a flow. */
  constructor(words: Int32Array, sink: HttpSink, agents: AgentSpeech) {
    this.#words = words;
    this.#agents = agents;
    this.messages = new HttpMessages(words, sink, agents);
  }

  /** Where to read in a segment of the flow whose words start at `flow`; -1 where there is nothing to read, as in a body. */
  placeIn(packet: Packet, flow: number): number {
    const words = this.#words;
    const { payloadAt } = packet;
    const side = flow + packet.flowSide * SIDE_WORDS;
    const isPlaced = i32(words, side + MODE) !== UNKNOWN;
    const at = isPlaced ? payloadAt + ((i32(words, side + NEXT) - packet.tcpSequence) | 0) : -1;
    if (at >= payloadAt) return at < payloadAt + packet.payloadLength ? at : -1;
    if (!this.#startsHere(packet, side)) return -1;
    if (isPlaced) {
      forgetAsked(words, flow);
      this.#agents.lost(flow);
    }
    return payloadAt;
  }

  /** Reads on in a body that is read and that the segment may go on with; once a segment, before `read`. */
  goOn(packet: Packet, flow: number): void {
    const side = flow + packet.flowSide * SIDE_WORDS;
    const fields = i32(this.#words, side + FIELDS);
    if ((fields & BODY_READ) === 0) return;
    const place = (flow / FLOW_WORDS) * 2 + packet.flowSide;
    this.#agents.turnTo(packet);
    if (this.#agents.messages.bodies.goOn(packet, place)) return;
    this.#words[side + FIELDS] = fields & ~BODY_READ;
  }

  /** Reads a segment from `from`, which `placeIn` gave; returns to whom the flow belongs after it. */
  read(packet: Packet, flow: number, from: number): number {
    const words = this.#words;
    const { payloadAt, tcpSequence } = packet;
    const side = flow + packet.flowSide * SIDE_WORDS;
    this.#agents.turnTo(packet);
    this.headerOpen = false;
    this.responseRest = -1;
    this.bodyPending = false;
    this.messages.headerEnd = -1;
    this.messages.fields = 0;
    this.messages.hostAt = -1;
    this.messages.connectFamily = "";
    this.#keptAt = ((flow / FLOW_WORDS) * 2 + packet.flowSide) * LINE_KEPT;
    const at = this.#lines(packet, flow, side, from);
    if (at < 0) return -1 - at;
    if (at < payloadAt + packet.payloadLength) this.#cut(flow, side);
    words[side + NEXT] = (tcpSequence + at - payloadAt) | 0;
    const isUnfinished = i32(words, side + MODE) === HEADER || i32(words, side + KEPT) > 0;
    this.headerOpen = isUnfinished && i32(words, side + ROLE) === CLIENT;
    if (i32(words, side + ROLE) === SERVER)
      this.#respond(flow, side, payloadAt + packet.payloadLength, at);
    return After.HTTP;
  }

  /** Says how far a response is behind a segment that ends at `end`, when `at` is to be read next. */
  #respond(flow: number, side: number, end: number, at: number): void {
    const words = this.#words;
    const mode = i32(words, side + MODE);
    const isStart = mode === START;
    const hasKept = i32(words, side + KEPT) > 0;
    if (isStart && !hasKept && !isAwaited(words, flow)) this.responseRest = at - end;
    const inHeader = mode === HEADER || (isStart && hasKept) || this.messages.headerEnd === end;
    this.bodyPending = inHeader && this.responseRest !== 0;
  }

  /** Reads lines from `from` on; returns where to go on, perhaps behind the segment, or -1 - After. */
  #lines(packet: Packet, flow: number, side: number, from: number): number {
    const { view, payloadEnd } = packet;
    let at = from;
    let left = LINES_MAX + ((payloadEnd - from) >>> LINE_SHIFT);
    while (at < payloadEnd) {
      if (left-- === 0) {
        this.#words[side + MODE] = UNKNOWN;
        return payloadEnd;
      }
      const lineEnd = lineFeedAt(view, at, payloadEnd);
      if (lineEnd < 0) {
        const isBegun =
          i32(this.#words, side + MODE) === START && i32(this.#words, side + KEPT) === 0;
        if (isBegun && i32(this.#words, side + ROLE) !== SERVER) {
          this.#agents.startsAt(flow, packet.tcpSequence + at - packet.payloadAt);
        }
        this.#keep(view, at, payloadEnd, side);
        return payloadEnd;
      }
      const skip = this.#line(view, at, lineEnd, flow, side);
      if (skip < 0) {
        this.leftAt = lineEnd + 1;
        return skip;
      }
      if ((i32(this.#words, side + FIELDS) & BODY_READ) !== 0) {
        this.#body(packet, lineEnd + 1, skip, flow, side);
      }
      at = lineEnd + 1 + skip;
      if (i32(this.#words, side + MODE) === UNKNOWN) return payloadEnd;
    }
    return at;
  }

  /** Reads one line, of which the beginning may have come before; returns the bytes to skip behind it, or -1 - After. */
  #line(view: DataView, at: number, lineEnd: number, flow: number, side: number): number {
    const { messages } = this;
    const words = this.#words;
    if (i32(words, side + KEPT) === 0)
      return messages.take(view, at, lineEnd, flow, side, Line.IN_SEGMENT);
    this.#keep(view, at, lineEnd, side);
    const length = i32(words, side + KEPT);
    const end = this.#keptAt + Math.min(length, LINE_KEPT);
    const form = length > LINE_KEPT ? Line.CUT : Line.COPIED;
    words[side + KEPT] = 0;
    const { headerEnd } = messages;
    const skip = messages.take(this.#kept, this.#keptAt, end, flow, side, form);
    // Where it ends in the segment, not in what was kept.
    if (messages.headerEnd !== headerEnd) messages.headerEnd = lineEnd + 1;
    return skip;
  }

  /** Gives what follows a line to who reads the body: the skipped bytes, or all there are until the connection closes. */
  #body(packet: Packet, at: number, skip: number, flow: number, side: number): void {
    const words = this.#words;
    const fields = i32(words, side + FIELDS);
    const mode = i32(words, side + MODE);
    let length = skip;
    if (mode === CHUNK) length = skip - CHUNK_END;
    else if (mode === UNKNOWN && (fields & Field.CHUNKED) === 0) length = -1;
    if (length <= 0 && mode !== UNKNOWN) return;
    const place = (flow / FLOW_WORDS) * 2 + packet.flowSide;
    if (this.#agents.messages.bodies.run(packet, at, length, place)) return;
    words[side + FIELDS] = fields & ~BODY_READ;
  }

  /** The capture kept the start of a segment only: a message that was begun counts, and the place is lost. */
  #cut(flow: number, side: number): void {
    const words = this.#words;
    const kept = Math.min(i32(words, side + KEPT), LINE_KEPT);
    const isStartLine = kept > 0 && i32(words, side + MODE) === START;
    if (isStartLine) this.messages.begin(this.#kept, this.#keptAt, this.#keptAt + kept, flow, side);
    if (i32(words, side + MODE) === HEADER) this.messages.tell(side);
    words[side + MODE] = UNKNOWN;
    words[side + KEPT] = 0;
  }

  /** Keeps the beginning of a line; one without an end is given up. */
  #keep(view: DataView, at: number, end: number, side: number): void {
    const words = this.#words;
    const kept = i32(words, side + KEPT);
    for (let i = kept; i < LINE_KEPT && at + i - kept < end; i++) {
      this.#kept.setUint8(this.#keptAt + i, view.getUint8(at + i - kept));
    }
    words[side + KEPT] = kept + end - at;
    if (kept + end - at > LINE_MAX) words[side + MODE] = UNKNOWN;
  }

  /** True where a start line begins the segment: the place is found again. */
  #startsHere(packet: Packet, side: number): boolean {
    const words = this.#words;
    const { view, payloadAt, payloadEnd } = packet;
    const role = i32(words, side + ROLE);
    const isRequest = role !== SERVER && methodAt(view, payloadAt, payloadEnd) >= 0;
    if (!isRequest && (role === CLIENT || statusAt(view, payloadAt, payloadEnd) < 0)) return false;
    words[side + MODE] = START;
    words[side + KEPT] = 0;
    return true;
  }
}
