// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../util/typed.ts";
import { AgentFlow } from "./agents/agent-flow.ts";
import { Field } from "./http-field.ts";
import { Method } from "./http-line.ts";

/** Words kept for each flow: two sides, the requests that wait for their response, and what agents need. */
export const FLOW_WORDS = AgentFlow.WORDS;
export const SIDE_WORDS = 7;
/** Words of a side. */
export const Side = {
  /** Sequence number of the byte to read next. */
  NEXT: 0,
  /** What is read there, a Mode. */
  MODE: 1,
  /** Method or status of the message whose header is being read. */
  KIND: 2,
  /** Its Content-Length, -1 without one. */
  LENGTH: 3,
  /** Its fields, bits of Field, and with a request its path (agents/agent-speech.ts); BODY_READ. */
  FIELDS: 4,
  /** How much is kept of a line that the segment did not end. */
  KEPT: 5,
  /** What the side sends, a Role. */
  ROLE: 6,
} as const;
const QUEUE = 14;
const QUEUED = 15;

/** Bodies are no mode: the byte to read next lies behind them. */
export const Mode = { UNKNOWN: 0, START: 1, HEADER: 2, CHUNK: 3, TRAILER: 4 } as const;
export const Role = { UNKNOWN: 0, CLIENT: 1, SERVER: 2 } as const;
/** Stands with a message's fields where somebody reads its body. */
export const BODY_READ = 0x40000000;
/** Stands with them while the fields of agents are of interest too. */
export const FOR_AGENTS = 0x800000;
/** What remains of them are bits of Field and AgentField. */
export const ALL_FIELDS = FOR_AGENTS - 1;
/** What a response means depends on its request, two bits each. */
const Asked = { ANY: 0, HEAD: 1, CONNECT: 2, AGENT: 3 } as const;
const QUEUED_MAX = 15;

/** To whom a flow belongs after a message. */
export const After = { HTTP: 0, WEBSOCKET: 1, HTTP2: 2, ANYTHING: 3 } as const;

const SWITCHING_PROTOCOLS = 101;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/** Notes a request, of which the response will come in its turn; `isAgent`: AgentSpeech wants to hear of it. */
export function ask(words: Int32Array, flow: number, method: number, isAgent: boolean): void {
  const queued = i32(words, flow + QUEUED);
  if (queued >= QUEUED_MAX) return;
  let asked: number = isAgent ? Asked.AGENT : Asked.ANY;
  if (method === Method.HEAD) asked = Asked.HEAD;
  else if (method === Method.CONNECT) asked = Asked.CONNECT;
  words[flow + QUEUE] = i32(words, flow + QUEUE) | (asked << (2 * queued));
  words[flow + QUEUED] = queued + 1;
}

/** True where AgentSpeech waits for the response that comes next. */
export function isForAgent(words: Int32Array, flow: number): boolean {
  return i32(words, flow + QUEUED) > 0 && (i32(words, flow + QUEUE) & Asked.AGENT) === Asked.AGENT;
}

/** True where a response is still to come. */
export function isAwaited(words: Int32Array, flow: number): boolean {
  return i32(words, flow + QUEUED) > 0;
}

/** Requests or responses were missed: which belong to which is not known. */
export function forgetAsked(words: Int32Array, flow: number): void {
  words[flow + QUEUE] = 0;
  words[flow + QUEUED] = 0;
}

/**
 * Goes behind a response's header: sets the mode of what follows, and returns how many bytes of body to skip, or
 * -1 - After where the flow stops being HTTP/1.x. RFC 9112 §6.3.
 */
export function behindResponse(words: Int32Array, flow: number, side: number): number {
  const status = i32(words, side + Side.KIND);
  const fields = i32(words, side + Side.FIELDS);
  if (status === SWITCHING_PROTOCOLS) return leave(words, flow, upgradedTo(fields));
  words[side + Side.MODE] = Mode.START;
  if (status < 200) return 0;
  const asked = nextAsked(words, flow);
  if (asked === Asked.CONNECT && status < 300) return leave(words, flow, After.ANYTHING);
  if (asked === Asked.HEAD || status === NO_CONTENT || status === NOT_MODIFIED) return 0;
  const length = behindFields(words, side);
  // Without a length the body lasts until the connection closes.
  if (length < 0) words[side + Side.MODE] = Mode.UNKNOWN;
  return Math.max(length, 0);
}

/**
 * The same for a request, which has no body unless it says so. Behind a CONNECT anything may come; a response will say that
 * the flow was HTTP a little longer.
 */
export function behindRequest(words: Int32Array, side: number): number {
  if (i32(words, side + Side.KIND) === Method.CONNECT) {
    words[side + Side.MODE] = Mode.UNKNOWN;
    return -1 - After.ANYTHING;
  }
  words[side + Side.MODE] = Mode.START;
  return Math.max(behindFields(words, side), 0);
}

/** Length of the body as the header fields give it, -1 where they give none. */
function behindFields(words: Int32Array, side: number): number {
  if ((i32(words, side + Side.FIELDS) & Field.CHUNKED) === 0) return i32(words, side + Side.LENGTH);
  words[side + Side.MODE] = Mode.CHUNK;
  return 0;
}

/** Forgets the flow, which goes on as something else. */
function leave(words: Int32Array, flow: number, after: number): number {
  words.fill(0, flow, flow + FLOW_WORDS);
  return -1 - after;
}

function upgradedTo(fields: number): number {
  if ((fields & Field.WEBSOCKET) !== 0) return After.WEBSOCKET;
  return (fields & Field.HTTP2) !== 0 ? After.HTTP2 : After.ANYTHING;
}

function nextAsked(words: Int32Array, flow: number): number {
  const queued = i32(words, flow + QUEUED);
  if (queued === 0) return Asked.ANY;
  const queue = i32(words, flow + QUEUE);
  words[flow + QUEUE] = queue >>> 2;
  words[flow + QUEUED] = queued - 1;
  return queue & 3;
}
