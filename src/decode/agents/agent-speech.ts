// SPDX-License-Identifier: AGPL-3.0-or-later
import { isMetadataAddress } from "../../util/metadata-address.ts";
import { i32 } from "../../util/typed.ts";
import { Field } from "../http-field.ts";
import { METHODS, Method, trimmedEnd } from "../http-line.ts";
import { emptyPacket, type Packet } from "../packet.ts";
import type { DecodeContext } from "../protocol.ts";
import { Form } from "./agent-bodies.ts";
import { AgentCounts } from "./agent-counts.ts";
import { AgentField, fieldValueAt } from "./agent-field.ts";
import { AgentFlow } from "./agent-flow.ts";
import { AgentMessages, Purpose } from "./agent-messages.ts";
import { valueHash } from "./encoded-value.ts";
import { isJsonRpc, Kind, Protocol } from "./kinds.ts";
import { KnownServers, Shown } from "./known-servers.ts";
import { kindOf, methodOf } from "./methods.ts";
import { ACP_ROOTS, AGENT_PATHS, type AgentPath, acpRoot, pathAt } from "./paths.ts";
import { Entry, entryOf, forget, kindOfEntry, protocolOf, push, shift } from "./pending.ts";
import { hashBytes, textHash } from "./text-hash.ts";

/** What is to be done about a message. */
export const Reading = { WANTED: 1, READ: 2 } as const;
const Evidence = { NONE: 0, SHOWN: 1, IN_BODY: 2 } as const;

const POST = METHODS.indexOf("post");
const GET = METHODS.indexOf("get");
const { WEBSOCKET, ADDRESS_HOST, METADATA_HOST, OLLAMA } = Field;
const { MCP, MCP_2026, MCP_METHOD, MCP_NAME, A2A, ANTHROPIC, AUTH, METADATA_TOKEN } = AgentField;
const { JSON: JSON_TYPE, EVENTS, NDJSON, ACCEPT_EVENTS, ACCEPT_BOTH } = AgentField;
/** Fields without one of which, and without a path of interest, a request is no candidate. */
const CANDIDATE = MCP | MCP_METHOD | A2A | ANTHROPIC | JSON_TYPE | ACCEPT_EVENTS;
const TYPED = JSON_TYPE | EVENTS | NDJSON;
const RESOURCES_READ = textHash("resources/read");
const SPACE = 0x20;
/** The path's number stands with a request's fields. */
const PATH_SHIFT = 24;
const PATH_MASK = 0x3f;
/** Statuses of servers that do not know what was asked for. */
const UNKNOWN_STATUSES: readonly number[] = [404, 405, 501];
const SWITCHING_PROTOCOLS = 101;
const MULTIPLE_CHOICES = 300;
const PARTS_OF_ACP = (1 << ACP_ROOTS.length) - 1;

/**
 * Recognises agents and language models among the requests and responses of HTTP/1.x. It is told of headers only, and
 * says whether a body is to be read: nearly all requests end at the first look at their fields. Values of headers and
 * what bodies hold become hashes, numbers and bits here, and nothing else leaves.
 */
export class AgentSpeech {
  readonly counts: AgentCounts;
  readonly messages: AgentMessages;
  readonly #words: Int32Array;
  readonly #servers = new KnownServers();
  /** The decoder's one object, set anew before each reading. */
  #packet: Packet = emptyPacket({});

  /** `words`: AgentFlow.WORDS a flow. */
  constructor(words: Int32Array, context: DecodeContext) {
    this.#words = words;
    this.counts = new AgentCounts(context);
    this.messages = new AgentMessages(words, this.counts, this.#servers);
  }

  /** What is told from now on is of this segment. */
  turnTo(packet: Packet): void {
    this.#packet = packet;
    this.messages.turnTo(packet);
  }

  /** The request line at `line`: returns bits to keep with the fields. `end` as in pathAt. */
  target(view: DataView, line: number, end: number, flow: number, method: number): number {
    const { tcpSequence, payloadAt } = this.#packet;
    // A line that began in an earlier segment is read from where it was kept.
    if (view === this.#packet.view) this.startsAt(flow, tcpSequence + line - payloadAt);
    const at = wordEnd(view, line, end) + 1;
    if (method === POST && this.#servers.endpoints > 0) {
      this.#words[flow + AgentFlow.TARGET] = hashBytes(view, at, wordEnd(view, at, end));
    }
    return pathAt(view, at, end) << PATH_SHIFT;
  }

  /** A request begins with this sequence number. */
  startsAt(flow: number, sequence: number): void {
    this.#words[flow + AgentFlow.STARTED] = sequence | 0;
  }

  /** A line with MCP_METHOD or MCP_NAME. */
  header(view: DataView, at: number, end: number, flow: number, field: number): void {
    const from = fieldValueAt(view, at, end);
    const word = field === MCP_METHOD ? AgentFlow.METHOD_HASH : AgentFlow.NAME_HASH;
    this.#words[flow + word] = valueHash(view, from, trimmedEnd(view, from, end));
  }

  /** Requests and responses may have been missed. */
  lost(flow: number): void {
    forget(this.#words, flow + AgentFlow.PENDING);
  }

  /**
   * A request's header is complete. Returns 0 for one that is not of interest; else WANTED, with READ where its body
   * is to be given to `messages.bodies`.
   */
  request(flow: number, place: number, method: number, fields: number): number {
    if (isMetadata(this.#packet) || (fields & METADATA_HOST) !== 0) {
      this.counts.metadata(this.#packet, (fields & METADATA_TOKEN) === 0);
    }
    const number = (fields >>> PATH_SHIFT) & PATH_MASK;
    if (number === 0 && (fields & CANDIDATE) === 0) return 0;
    if (method === Method.HEAD || method === Method.CONNECT) return 0;
    const packet = this.#packet;
    const asked = this.#evidence(packet, flow, method, fields, number);
    if (asked === 0) return 0;
    let entry = asked | Entry.REQUEST;
    if ((fields & AUTH) !== 0) entry |= Entry.AUTH;
    if ((fields & ADDRESS_HOST) !== 0) entry |= Entry.ADDRESS;
    push(this.#words, flow + AgentFlow.PENDING, entry);
    this.counts.asked(packet, entry, i32(this.#words, flow + AgentFlow.STARTED));
    const protocol = protocolOf(entry);
    if ((entry & Entry.COUNTED) !== 0) {
      this.counts.message(packet, false, protocol, kindOfEntry(entry));
    }
    if (!isJsonRpc(protocol)) return Reading.WANTED;
    if (protocol >= 0) this.#words[flow + AgentFlow.PROTOCOL] = protocol + 1;
    if (method !== POST || (fields & JSON_TYPE) === 0) return Reading.WANTED;
    this.messages.start(place, this.#purpose(flow, entry, fields), Form.JSON);
    return Reading.WANTED | Reading.READ;
  }

  /** A response's header is complete, to a request that was of interest. Returns READ as `request` does, or 0. */
  response(flow: number, place: number, status: number, fields: number): number {
    if (status < 200 && status !== SWITCHING_PROTOCOLS) return 0;
    const entry = shift(this.#words, flow + AgentFlow.PENDING);
    if (entry === 0) return 0;
    const packet = this.#packet;
    const protocol = protocolOf(entry);
    const isGood = status < MULTIPLE_CHOICES;
    if (protocol < 0) {
      const isCandidate = isGood && (fields & EVENTS) !== 0 && (entry & Entry.OPENS_STREAM) !== 0;
      return isCandidate ? this.#read(place, Purpose.FIRST_EVENT, Form.EVENTS) : 0;
    }
    if ((entry & Entry.COUNTED) === 0) {
      const shown = this.#isShown(packet, entry, status, fields);
      if (shown === Evidence.IN_BODY) return this.#read(place, Purpose.FIRST_KEY, Form.JSON, entry);
      if (shown === Evidence.NONE) return 0;
      this.counts.message(packet, true, protocol, kindOfEntry(entry));
    }
    this.counts.response(packet, entry, status);
    if (!isGood) return 0;
    if (!isJsonRpc(protocol)) {
      const isStream = (fields & (EVENTS | NDJSON)) !== 0 && kindOfEntry(entry) !== Kind.STREAM;
      if (isStream) this.counts.message(packet, true, protocol, Kind.STREAM);
      return 0;
    }
    if ((fields & EVENTS) !== 0) return this.#read(place, protocol + 1, Form.EVENTS);
    return (fields & JSON_TYPE) !== 0 ? this.#read(place, protocol + 1, Form.JSON) : 0;
  }

  #read(place: number, purpose: number, form: number, reply = 0): number {
    this.messages.start(place, purpose | Purpose.FROM_SERVER, form, reply);
    return Reading.READ;
  }

  /** What the header tells of a request: bits of Entry, OPENS_STREAM alone or EVIDENT alone for "perhaps", 0 for "nothing". */
  #evidence(packet: Packet, flow: number, method: number, fields: number, path: number): number {
    const isBody = method === POST && (fields & JSON_TYPE) !== 0;
    if (isBody && this.#servers.endpoints > 0 && this.#isEndpoint(packet, flow)) {
      return Protocol.MCP_LEGACY + 1;
    }
    if ((fields & (MCP | MCP_METHOD)) !== 0) return this.#mcp(flow, method, fields);
    const described = path === 0 ? undefined : AGENT_PATHS[path - 1];
    if ((fields & A2A) !== 0) return this.#a2a(packet, method, described);
    if ((fields & ANTHROPIC) !== 0) return anthropic(described);
    if (described !== undefined && (fields & ACCEPT_BOTH) === 0) {
      const asked = this.#byPath(packet, method, fields, path, described);
      if (asked !== 0) return asked;
    }
    if (isBody) return Entry.EVIDENT;
    return method === GET && (fields & ACCEPT_EVENTS) !== 0 ? Entry.OPENS_STREAM : 0;
  }

  /** True where the server has named this request's path to an MCP client; the first request to it is the proof. */
  #isEndpoint(packet: Packet, flow: number): boolean {
    const target = i32(this.#words, flow + AgentFlow.TARGET);
    const use = this.#servers.useOfEndpoint(packet, false, target);
    if (use === 1) {
      this.#servers.markUsed(packet, false, target);
      this.counts.message(packet, false, Protocol.MCP_LEGACY, Kind.STREAM);
    }
    return use > 0;
  }

  #mcp(flow: number, method: number, fields: number): number {
    const isNew = (fields & (MCP_2026 | MCP_METHOD)) !== 0;
    const protocol = isNew ? Protocol.MCP_2026 : Protocol.MCP_STREAM;
    if ((fields & MCP_METHOD) !== 0) {
      const named = methodOf(i32(this.#words, flow + AgentFlow.METHOD_HASH));
      return entryOf(protocol, kindOf(named)) | Entry.COUNTED;
    }
    if (method === POST) return protocol + 1;
    if (method === GET) return entryOf(protocol, Kind.STREAM) | Entry.OPENS_STREAM;
    return entryOf(protocol, Kind.OTHER) | Entry.COUNTED;
  }

  #a2a(packet: Packet, method: number, path: AgentPath | undefined): number {
    this.#servers.note(packet, false, Shown.A2A);
    if (path !== undefined && path.protocol === Protocol.A2A && path.method === method) {
      return entryOf(Protocol.A2A, path.kind) | Entry.EVIDENT;
    }
    return method === POST ? Protocol.A2A + 1 : entryOf(Protocol.A2A, Kind.OTHER) | Entry.EVIDENT;
  }

  #byPath(packet: Packet, method: number, fields: number, at: number, path: AgentPath): number {
    const { protocol, kind } = path;
    if (path.method !== method || protocol === Protocol.ANTHROPIC) return 0;
    const entry = entryOf(protocol, kind);
    switch (protocol) {
      case Protocol.OPENAI:
        if (kind === Kind.STREAM) return (fields & WEBSOCKET) === 0 ? 0 : entry | Entry.EVIDENT;
        return kind === Kind.LIST ? entry : entry | Entry.EVIDENT;
      case Protocol.OLLAMA: {
        const isKnown = (this.#servers.shown(packet, false) & Shown.OLLAMA) !== 0;
        return isKnown || (fields & OLLAMA) !== 0 ? entry | Entry.EVIDENT : entry;
      }
      case Protocol.ACP:
        return entry | ((31 - Math.clz32(acpRoot(at))) << Entry.ROOT_SHIFT);
      default:
        return entry | Entry.EVIDENT;
    }
  }

  /** Whether a response shows that the server understood a request that is known by its path alone. */
  #isShown(packet: Packet, entry: number, status: number, fields: number): number {
    if (UNKNOWN_STATUSES.includes(status)) return Evidence.NONE;
    if (status === SWITCHING_PROTOCOLS) return Evidence.SHOWN;
    const protocol = protocolOf(entry);
    const isGood = status < MULTIPLE_CHOICES;
    if (kindOfEntry(entry) < 0 || (fields & TYPED) === 0) return Evidence.NONE;
    if ((entry & Entry.OPENS_STREAM) !== 0) {
      return isGood && (fields & EVENTS) !== 0 ? Evidence.SHOWN : Evidence.NONE;
    }
    if (protocol === Protocol.ACP) {
      if (!isGood) return Evidence.NONE;
      const root = (entry & Entry.ROOT) >>> Entry.ROOT_SHIFT;
      const parts = this.#servers.note(packet, true, 1 << root) & PARTS_OF_ACP;
      return (parts & (parts - 1)) === 0 ? Evidence.NONE : Evidence.SHOWN;
    }
    if (protocol === Protocol.A2A && isGood) this.#servers.note(packet, true, Shown.A2A);
    if ((entry & Entry.EVIDENT) !== 0) return Evidence.SHOWN;
    if (!isGood) return Evidence.NONE;
    if ((fields & JSON_TYPE) !== 0) return Evidence.IN_BODY;
    if (protocol !== Protocol.OLLAMA || (fields & NDJSON) === 0) return Evidence.NONE;
    this.#servers.note(packet, true, Shown.OLLAMA);
    return Evidence.SHOWN;
  }

  #purpose(flow: number, entry: number, fields: number): number {
    let purpose =
      (entry & Entry.PROTOCOL) | ((fields & ACCEPT_BOTH) === 0 ? 0 : Purpose.ACCEPTS_BOTH);
    if ((fields & MCP_METHOD) === 0) return purpose;
    purpose |= Purpose.COMPARE;
    const method = i32(this.#words, flow + AgentFlow.METHOD_HASH);
    if ((fields & MCP_NAME) !== 0) purpose |= Purpose.NAMED;
    return method === RESOURCES_READ ? purpose | Purpose.WITH_URI : purpose;
  }
}

function wordEnd(view: DataView, at: number, end: number): number {
  let to = at;
  while (to < end && view.getUint8(to) !== SPACE) to++;
  return to;
}

function isMetadata({ destination0, destination1, destination2, destination3 }: Packet): boolean {
  return isMetadataAddress(destination0, destination1, destination2, destination3);
}

/** Anthropic's API, which its version header proves. */
function anthropic(path: AgentPath | undefined): number {
  const isKnown = path !== undefined && path.protocol >= Protocol.OPENAI;
  return entryOf(Protocol.ANTHROPIC, isKnown ? path.kind : Kind.OTHER) | Entry.EVIDENT;
}
