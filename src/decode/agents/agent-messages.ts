// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../../util/typed.ts";
import { CONVERSATIONS } from "../conversations.ts";
import { emptyPacket, type Packet } from "../packet.ts";
import { AgentBodies, type BodySink } from "./agent-bodies.ts";
import type { AgentCounts } from "./agent-counts.ts";
import { AgentFlow } from "./agent-flow.ts";
import { Take } from "./json-members.ts";
import { Kind, Protocol } from "./kinds.ts";
import { type KnownServers, Shown } from "./known-servers.ts";
import { kindOf, methodOf, ownersOf, Whose } from "./methods.ts";
import { amend, Entry, entryOf } from "./pending.ts";
import { textHash } from "./text-hash.ts";

/** What a body is read for, as bits; the protocol that is certain stands below them, plus one. */
export const Purpose = {
  PROTOCOL: 0xf,
  FROM_SERVER: 0x10,
  /** `Accept` names both types that MCP needs. */
  ACCEPTS_BOTH: 0x20,
  /** The message is counted by its headers, which are compared with it: the method, and the name, or the `uri`. */
  COMPARE: 0x40,
  NAMED: 0x400,
  WITH_URI: 0x80,
  /** The first key alone is of interest: it tells whether a language model's server answered. */
  FIRST_KEY: 0x100,
  /** The first event may name an endpoint. */
  FIRST_EVENT: 0x200,
} as const;

const WORDS = 4;
const PURPOSE = 0;
/** What of the current message has been seen. */
const FOUND = 1;
const METHOD = 2;
/** The entry of the request that a response with FIRST_KEY answers. */
const REPLY = 3;
const VERSION_2 = 1;
const COUNTED = 2;

const KEY = {
  METHOD: textHash("method"),
  JSONRPC: textHash("jsonrpc"),
  PARAMS: textHash("params"),
  ERROR: textHash("error"),
  ID: textHash("id"),
  RESULT: textHash("result"),
  NAME: textHash("name"),
  URI: textHash("uri"),
} as const;
const JSON_RPC_2 = textHash("2.0");
/** How responses of Ollama begin, and lists of models of those that speak as OpenAI does. */
const OLLAMA_KEYS: readonly number[] = ["model", "models"].map(textHash);
const MODEL_LIST_KEYS: readonly number[] = ["object", "data", "models"].map(textHash);
const { MCP_2026, MCP_STREAM, A2A, OLLAMA } = Protocol;

/** Decides what the messages in bodies are: whose by the rules of docs/ai-traffic.md, and of which kind. */
export class AgentMessages implements BodySink {
  readonly bodies = new AgentBodies(this);
  readonly #state = new Int32Array(CONVERSATIONS * 2 * WORDS);
  readonly #words: Int32Array;
  readonly #counts: AgentCounts;
  readonly #servers: KnownServers;
  /** The segment that is being read: the decoder's one object, set anew before each reading. */
  #packet: Packet = emptyPacket({});

  /** `words`: of HTTP's conversations. */
  constructor(words: Int32Array, counts: AgentCounts, servers: KnownServers) {
    this.#words = words;
    this.#counts = counts;
    this.#servers = servers;
  }

  /** Bodies are of this segment from now on. */
  turnTo(packet: Packet): void {
    this.#packet = packet;
  }

  /** The body behind the header that just ended is read for this, in this Form. */
  start(place: number, purpose: number, form: number, reply = 0): void {
    const at = place * WORDS;
    this.#state[at + PURPOSE] = purpose;
    this.#state[at + FOUND] = 0;
    this.#state[at + METHOD] = -1;
    this.#state[at + REPLY] = reply;
    this.bodies.start(place, form);
  }

  key(place: number, level: number, key: number): number {
    const purpose = this.#purpose(place);
    if (level === 1) {
      return key === ((purpose & Purpose.WITH_URI) === 0 ? KEY.NAME : KEY.URI)
        ? Take.READ
        : Take.SKIP;
    }
    if ((purpose & Purpose.FIRST_KEY) !== 0) {
      this.#firstKey(place, key);
      return Take.STOP;
    }
    switch (key) {
      case KEY.METHOD:
      case KEY.JSONRPC:
      case KEY.ERROR:
        return Take.READ;
      case KEY.PARAMS:
        return (purpose & Purpose.NAMED) === 0 ? Take.SKIP : Take.ENTER;
      case KEY.ID:
      case KEY.RESULT:
        return Take.SKIP;
      default:
        // A message of JSON-RPC has no other members: what has them is something else, unless its header has told.
        return (purpose & Purpose.PROTOCOL) === 0 ? Take.STOP : Take.SKIP;
    }
  }

  value(place: number, level: number, key: number, text: number): boolean {
    const at = place * WORDS;
    const purpose = this.#purpose(place);
    if (level === 1) return this.#compare(place, text, AgentFlow.NAME_HASH);
    if (key === KEY.ERROR) {
      if (text === 0) this.#error(purpose);
      return true;
    }
    if (text === 0) return true;
    if (key === KEY.JSONRPC) {
      this.#state[at + FOUND] = i32(this.#state, at + FOUND) | VERSION_2;
      return text === JSON_RPC_2 && this.#decide(place);
    }
    if ((purpose & Purpose.COMPARE) !== 0) return this.#compare(place, text, AgentFlow.METHOD_HASH);
    const method = methodOf(text);
    const isOurs = method >= 0 || (purpose & Purpose.PROTOCOL) !== 0;
    this.#state[at + METHOD] = isOurs ? method & 0xffff : -1;
    return isOurs && this.#decide(place);
  }

  end(place: number): boolean {
    this.#state[place * WORDS + FOUND] = 0;
    this.#state[place * WORDS + METHOD] = -1;
    return true;
  }

  wantsData(place: number): boolean {
    const purpose = this.#purpose(place);
    if ((purpose & Purpose.PROTOCOL) !== 0) return true;
    const endpoint = i32(this.#words, this.#flow(place) + AgentFlow.ENDPOINT);
    const isUsed = this.#servers.useOfEndpoint(this.#packet, true, endpoint) === 2;
    if (isUsed) this.#state[place * WORDS] = purpose | (Protocol.MCP_LEGACY + 1);
    return isUsed;
  }

  event(place: number, endpoint: number): boolean {
    this.end(place);
    const purpose = this.#purpose(place);
    if ((purpose & Purpose.FIRST_EVENT) === 0) return true;
    if (endpoint === 0) return false;
    this.#state[place * WORDS] = purpose & ~Purpose.FIRST_EVENT;
    this.#words[this.#flow(place) + AgentFlow.ENDPOINT] = endpoint;
    this.#servers.addEndpoint(this.#packet, true, endpoint);
    return true;
  }

  /** Counts the message once it is known whose it is. False where it is nobody's that is followed. */
  #decide(place: number): boolean {
    const at = place * WORDS;
    const purpose = this.#purpose(place);
    const found = i32(this.#state, at + FOUND);
    const method = i32(this.#state, at + METHOD);
    if ((found & COUNTED) !== 0 || method === -1) return true;
    const known = method === 0xffff ? -1 : method;
    const certain = (purpose & Purpose.PROTOCOL) - 1;
    const owners = ownersOf(known);
    const protocol = certain >= 0 ? certain : this.#owner(place, owners, purpose, found);
    if (protocol < 0) return (found & VERSION_2) === 0;
    this.#state[at + FOUND] = found | COUNTED;
    this.#count(place, protocol, kindOf(known), purpose);
    return true;
  }

  /** The protocol of a method, as far as it tells; -1 for none, or none yet. */
  #owner(place: number, owners: number, purpose: number, found: number): number {
    const hint = i32(this.#words, this.#flow(place) + AgentFlow.PROTOCOL) - 1;
    if (hint >= 0 && hint < A2A && (owners & Whose.MCP) !== 0) return hint;
    if (hint === A2A && (owners & (Whose.A2A | Whose.MAYBE_A2A)) !== 0) return hint;
    if ((found & VERSION_2) === 0) return -1;
    if ((owners & Whose.A2A) !== 0) return A2A;
    if ((owners & Whose.MAYBE_A2A) !== 0) {
      const shown = this.#servers.shown(this.#packet, false);
      if ((shown & Shown.A2A) !== 0) return A2A;
    }
    if ((owners & Whose.MCP) === 0 || (purpose & Purpose.ACCEPTS_BOTH) === 0) return -1;
    return (owners & Whose.MCP_2026) === 0 ? MCP_STREAM : MCP_2026;
  }

  #count(place: number, protocol: number, kind: number, purpose: number): void {
    const packet = this.#packet;
    const isFromServer = (purpose & Purpose.FROM_SERVER) !== 0;
    const flow = this.#flow(place);
    this.#counts.message(packet, isFromServer, protocol, kind);
    if (isFromServer) return;
    const words = this.#words;
    const isFirst = i32(this.#state, place * WORDS + REPLY) === 0;
    words[flow + AgentFlow.PROTOCOL] = protocol + 1;
    if (protocol === A2A) this.#servers.note(packet, false, Shown.A2A);
    if (!isFirst) return;
    // Of a batch, the first message stands for all.
    this.#state[place * WORDS + REPLY] = Entry.REQUEST;
    amend(words, flow + AgentFlow.PENDING, entryOf(protocol, kind) | Entry.COUNTED);
  }

  #compare(place: number, text: number, word: number): boolean {
    if (text === i32(this.#words, this.#flow(place) + word)) return true;
    this.#counts.mismatch(this.#packet, MCP_2026);
    return false;
  }

  #error(purpose: number): void {
    const certain = (purpose & Purpose.PROTOCOL) - 1;
    if (certain < 0) return;
    const isFromServer = (purpose & Purpose.FROM_SERVER) !== 0;
    this.#counts.message(this.#packet, isFromServer, certain, Kind.ERROR);
  }

  #firstKey(place: number, key: number): void {
    const packet = this.#packet;
    const entry = i32(this.#state, place * WORDS + REPLY);
    const protocol = (entry & Entry.PROTOCOL) - 1;
    const keys = protocol === OLLAMA ? OLLAMA_KEYS : MODEL_LIST_KEYS;
    if (!keys.includes(key)) return;
    if (protocol === OLLAMA) this.#servers.note(packet, true, Shown.OLLAMA);
    this.#counts.message(packet, true, protocol, ((entry & Entry.KIND) >>> Entry.KIND_SHIFT) - 1);
    this.#counts.response(packet, entry, 200);
  }

  #purpose(place: number): number {
    return i32(this.#state, place * WORDS);
  }

  /** Where the words of the flow begin. */
  #flow(place: number): number {
    return (place >> 1) * AgentFlow.WORDS;
  }
}
