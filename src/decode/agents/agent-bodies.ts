// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../../util/typed.ts";
import { CONVERSATIONS } from "../conversations.ts";
import type { Packet } from "../packet.ts";
import { EventLines, type EventSink } from "./event-lines.ts";
import { JsonMembers, type MemberSink } from "./json-members.ts";

/** Told of what bodies hold; `place` is a side of a conversation. */
export interface BodySink extends MemberSink {
  /** Data of an event are about to be read. False to leave them alone. */
  wantsData(place: number): boolean;
  /** As in EventSink. */
  event(place: number, endpoint: number): boolean;
}

/** How a body is read. */
export const Form = { NONE: 0, JSON: 1, EVENTS: 2 } as const;

const WORDS = 4;
const FORM = 0;
/** Sequence numbers of the byte to read next, and behind the run of bytes that it is in. */
const NEXT = 1;
const END = 2;
/** 1 while the data of the current event are read. */
const IN_DATA = 3;
/** A body that lasts until the connection closes. */
const ENDLESS = 0x3fffffff;

/** Gives the bytes of bodies to their readers in order, each once; a body with a gap is given up. */
export class AgentBodies implements EventSink {
  readonly #words = new Int32Array(CONVERSATIONS * 2 * WORDS);
  readonly #json: JsonMembers;
  readonly #events: EventLines;
  readonly #sink: BodySink;

  constructor(sink: BodySink) {
    this.#sink = sink;
    this.#json = new JsonMembers(CONVERSATIONS * 2, sink);
    this.#events = new EventLines(CONVERSATIONS * 2, this);
  }

  /** The body behind the header that just ended is to be read. */
  start(place: number, form: number): void {
    const base = place * WORDS;
    this.#words[base + FORM] = form;
    this.#words[base + NEXT] = 0;
    this.#words[base + END] = 0;
    this.#words[base + IN_DATA] = 0;
    this.#json.start(place);
    if (form === Form.EVENTS) this.#events.start(place);
  }

  /** A run of `length` bytes of the body starts at `at`, -1 for one without an end. Returns false when done. */
  run(packet: Packet, at: number, length: number, place: number): boolean {
    const words = this.#words;
    const base = place * WORDS;
    if (i32(words, base + NEXT) !== i32(words, base + END)) return this.#giveUp(base);
    const sequence = (packet.tcpSequence + at - packet.payloadAt) | 0;
    words[base + NEXT] = sequence;
    words[base + END] = (sequence + (length < 0 ? ENDLESS : length)) | 0;
    return this.goOn(packet, place);
  }

  /** Reads what the segment has of the run. Returns false when done. */
  goOn(packet: Packet, place: number): boolean {
    const words = this.#words;
    const base = place * WORDS;
    const { payloadAt, payloadEnd, tcpSequence } = packet;
    const offset = (i32(words, base + NEXT) - tcpSequence) | 0;
    const left = (i32(words, base + END) - i32(words, base + NEXT)) | 0;
    if (left === 0 || offset >= packet.payloadLength) return true;
    if (offset < 0) return this.#giveUp(base);
    const from = payloadAt + offset;
    const to = Math.min(payloadEnd, from + left);
    if (from >= to) return true;
    words[base + NEXT] = (i32(words, base + NEXT) + to - from) | 0;
    const goesOn =
      i32(words, base + FORM) === Form.EVENTS
        ? this.#events.read(packet.view, from, to, place)
        : this.#json.read(packet.view, from, to, place);
    return goesOn || this.#giveUp(base);
  }

  data(view: DataView, at: number, end: number, place: number): void {
    const words = this.#words;
    const base = place * WORDS;
    if (i32(words, base + IN_DATA) === 0 && !this.#sink.wantsData(place)) return;
    words[base + IN_DATA] = 1;
    this.#json.read(view, at, end, place);
  }

  event(place: number, endpoint: number): boolean {
    this.#words[place * WORDS + IN_DATA] = 0;
    this.#json.start(place);
    return this.#sink.event(place, endpoint);
  }

  #giveUp(base: number): boolean {
    this.#words[base + FORM] = Form.NONE;
    return false;
  }
}
