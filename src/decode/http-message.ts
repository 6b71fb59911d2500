// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32, u8 } from "../util/typed.ts";
import { AgentField, agentFieldOf } from "./agents/agent-field.ts";
import { type AgentSpeech, Reading } from "./agents/agent-speech.ts";
import { contentLength, Field, fieldOf, hostAt, hostEnd } from "./http-field.ts";
import { hexadecimalAt, Method, methodAt, statusAt } from "./http-line.ts";
import {
  ask,
  BODY_READ,
  behindRequest,
  behindResponse,
  FLOW_WORDS,
  FOR_AGENTS,
  isForAgent,
  Mode,
  Role,
  Side,
} from "./http-state.ts";
import { familyOfUserAgent } from "./user-agent.ts";

/** Line feed and carriage return behind a chunk. */
export const CHUNK_END = 2;
const CR = 0x0d;
const { MODE, KIND, LENGTH, FIELDS, ROLE } = Side;
const { UNKNOWN, START, HEADER, CHUNK, TRAILER } = Mode;
const { CLIENT, SERVER } = Role;
const { CONNECT } = Method;
const COMPARED = AgentField.MCP_METHOD | AgentField.MCP_NAME;
const { WANTED, READ } = Reading;
/** 1 for the letters, of either case, with which fields of interest begin. */
const FIRST_LETTERS = new Uint8Array(256);
for (const letter of "ACHMTUXachmtux") FIRST_LETTERS[letter.charCodeAt(0)] = 1;

/** What is at hand of a line: all of it in the segment, a copy of all of it, or of its beginning. */
export const Line = { IN_SEGMENT: 0, COPIED: 1, CUT: 2 } as const;

/** Told of each message whose header is complete, and of hosts that do not stand in the segment as they are. */
export interface HttpSink {
  request(method: number): void;
  response(status: number): void;
  /** `[at, end)` of `view`, which will hold something else soon. */
  hostElsewhere(view: DataView, at: number, end: number): void;
}

/** Makes messages of the lines of both sides of a flow (RFC 9112): start line, header, chunks, trailer. */
export class HttpMessages {
  /** The last Host value that a segment held in a line of its own, -1 without one; whoever begins a segment resets it. */
  hostAt = -1;
  hostEnd = -1;
  /** The family of client that the User-Agent of a CONNECT named in this segment; empty without one, and as above. */
  connectFamily = "";
  /** Bits of Field of the last message told. */
  fields = 0;
  /** Where the last header that a segment held whole, or the end of, ended; -1 without one, and reset as `hostAt` is. */
  headerEnd = -1;
  readonly #words: Int32Array;
  readonly #sink: HttpSink;
  readonly #agents: AgentSpeech;

  /** `words`: FLOW_WORDS a flow. */
  constructor(words: Int32Array, sink: HttpSink, agents: AgentSpeech) {
    this.#words = words;
    this.#sink = sink;
    this.#agents = agents;
  }

  /**
   * Takes the line in `[at, lineEnd)`; returns how many bytes of body to skip behind it, or -1 - After where the flow stops
   * being HTTP/1.x. `form` is a Line: one in the segment has its line feed behind it.
   */
  take(
    view: DataView,
    at: number,
    lineEnd: number,
    flow: number,
    side: number,
    form: number,
  ): number {
    const words = this.#words;
    const isEmpty = at === lineEnd || (lineEnd - at === 1 && view.getUint8(at) === CR);
    switch (i32(words, side + MODE)) {
      case START:
        if (!isEmpty)
          this.begin(view, at, form === Line.IN_SEGMENT ? lineEnd + 1 : lineEnd, flow, side);
        return 0;
      case HEADER:
        if (isEmpty) {
          this.headerEnd = lineEnd + 1;
          return this.#end(flow, side);
        }
        this.#field(view, at, lineEnd, flow, side, form);
        return 0;
      case CHUNK:
        return this.#chunk(hexadecimalAt(view, at, lineEnd), side);
      default:
        if (isEmpty) words[side + MODE] = START;
        return 0;
    }
  }

  /** Reads a start line; where there is none, the place is lost. With its line feed before `end`, the version counts. */
  begin(view: DataView, at: number, end: number, flow: number, side: number): void {
    const words = this.#words;
    const role = i32(words, side + ROLE);
    const method = role === SERVER ? -1 : methodAt(view, at, end, true);
    const status = method >= 0 || role === CLIENT ? -1 : statusAt(view, at, end);
    if (method < 0 && status < 0) {
      words[side + MODE] = UNKNOWN;
      return;
    }
    words[side + MODE] = HEADER;
    words[side + ROLE] = method >= 0 ? CLIENT : SERVER;
    words[side + KIND] = Math.max(method, status);
    words[side + LENGTH] = -1;
    words[side + FIELDS] =
      method < 0
        ? isForAgent(words, flow)
          ? FOR_AGENTS
          : 0
        : FOR_AGENTS | this.#agents.target(view, at, end, flow, method);
  }

  /** Tells of the message whose header is read on this side. */
  tell(side: number): void {
    const words = this.#words;
    this.fields = i32(words, side + FIELDS);
    const kind = i32(words, side + KIND);
    if (i32(words, side + ROLE) === CLIENT) this.#sink.request(kind);
    else this.#sink.response(kind);
  }

  #field(
    view: DataView,
    at: number,
    lineEnd: number,
    flow: number,
    side: number,
    form: number,
  ): void {
    const words = this.#words;
    const fields = i32(words, side + FIELDS);
    if (u8(FIRST_LETTERS, view.getUint8(at)) === 0) return;
    const field = fieldOf(view, at, lineEnd);
    if (field === Field.NONE) {
      if ((fields & FOR_AGENTS) === 0) return;
      const told = agentFieldOf(view, at, lineEnd);
      words[side + FIELDS] = fields | told;
      if ((told & COMPARED) !== 0) this.#agents.header(view, at, lineEnd, flow, told);
      return;
    }
    words[side + FIELDS] = fields | field;
    if (field === Field.LENGTH) words[side + LENGTH] = contentLength(view, at, lineEnd);
    if ((field & Field.HOST) !== 0) this.#host(view, at, lineEnd, form);
    const isConnect = i32(words, side + ROLE) === CLIENT && i32(words, side + KIND) === CONNECT;
    if (isConnect && (field & Field.USER_AGENT) !== 0) {
      this.connectFamily = familyOfUserAgent(view, at, lineEnd);
    }
  }

  #host(view: DataView, at: number, lineEnd: number, form: number): void {
    if (form === Line.CUT) return;
    const from = hostAt(view, at, lineEnd);
    const end = hostEnd(view, at, lineEnd);
    if (form === Line.COPIED) this.#sink.hostElsewhere(view, from, end);
    else {
      this.hostAt = from;
      this.hostEnd = end;
    }
  }

  #end(flow: number, side: number): number {
    const words = this.#words;
    this.tell(side);
    const kind = i32(words, side + KIND);
    const fields = i32(words, side + FIELDS);
    const place = (flow / FLOW_WORDS) * 2 + (side === flow ? 0 : 1);
    if (i32(words, side + ROLE) === SERVER) {
      const isRead = isForAgent(words, flow) && this.#agents.response(flow, place, kind, fields);
      if (isRead) words[side + FIELDS] = fields | BODY_READ;
      return behindResponse(words, flow, side);
    }
    const reading = this.#agents.request(flow, place, kind, fields);
    if ((reading & READ) !== 0) words[side + FIELDS] = fields | BODY_READ;
    ask(words, flow, kind, (reading & WANTED) !== 0);
    return behindRequest(words, side);
  }

  #chunk(size: number, side: number): number {
    if (size > 0) return size + CHUNK_END;
    this.#words[side + MODE] = size === 0 ? TRAILER : UNKNOWN;
    return 0;
  }
}
