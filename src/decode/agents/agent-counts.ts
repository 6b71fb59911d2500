// SPDX-License-Identifier: AGPL-3.0-or-later
import { add } from "../../util/typed.ts";
import type { Packet } from "../packet.ts";
import type { DecodeContext } from "../protocol.ts";
import { agentMessages, agentMismatches, Kind, MESSAGE_KINDS, Protocol } from "./kinds.ts";
import { Entry, kindOfEntry, protocolOf } from "./pending.ts";

declare module "../packet.ts" {
  interface PacketFacts {
    /** Agents and language models in clear text; this packet's while `agents.packet === packet.number`. */
    readonly agents?: Readonly<AgentFacts>;
  }
}

/** What a segment tells of agents and language models: numbers only. */
export interface AgentFacts {
  packet: number;
  /** True where the server sent the segment. */
  isFromServer: boolean;
  /** Position in AGENT_PROTOCOLS of the last message in it. */
  protocol: number;
  /** Messages that were counted, and among them errors, and those whose header and body disagree. */
  messages: number;
  errors: number;
  mismatches: number;
  /** Calls that the server granted, refusals left out, and those of them to models. */
  calls: number;
  modelCalls: number;
  /** Requests for what a server should not do for everybody, and did: without anything like a password, and with. */
  open: number;
  granted: number;
  /** Requests refused with 401 or 403. */
  denied: number;
  /** Requests that succeeded although their host was an address. */
  toAddress: number;
  /** Requests by whose path or header a model may be called, and the sequence number with which the first of them begins, here or earlier. */
  asks: number;
  askStart: number;
  /** Requests to metadata services of clouds, and those without the header that these ask for. */
  metadata: number;
  bareMetadata: number;
}

const REDIRECTION = 300;
const MISTAKE = 400;

/** Counts messages, and keeps the facts of the segment that is being read. */
export class AgentCounts {
  readonly facts: AgentFacts = {
    packet: -1,
    isFromServer: false,
    protocol: 0,
    messages: 0,
    calls: 0,
    errors: 0,
    mismatches: 0,
    open: 0,
    granted: 0,
    denied: 0,
    toAddress: 0,
    asks: 0,
    askStart: 0,
    modelCalls: 0,
    metadata: 0,
    bareMetadata: 0,
  };
  readonly #counters: Float64Array;
  readonly #messages: number;
  readonly #mismatches: number;

  constructor(context: DecodeContext) {
    this.#counters = context.counters;
    this.#messages = context.base(agentMessages);
    this.#mismatches = context.base(agentMismatches);
  }

  message(packet: Packet, isFromServer: boolean, protocol: number, kind: number): void {
    const facts = this.#open(packet, isFromServer, protocol);
    facts.messages++;
    if (kind === Kind.ERROR) facts.errors++;
    add(this.#counters, this.#messages + protocol * MESSAGE_KINDS.length + kind, 1);
  }

  /** A request that counts, if at all, once it is answered; `start`: the sequence number with which it begins. */
  asked(packet: Packet, entry: number, start: number): void {
    const protocol = protocolOf(entry);
    if (!isModelCall(protocol, kindOfEntry(entry))) return;
    const facts = this.#open(packet, false, protocol);
    if (facts.asks++ === 0) facts.askStart = start;
  }

  mismatch(packet: Packet, protocol: number): void {
    this.#open(packet, false, protocol).mismatches++;
    add(this.#counters, this.#mismatches, 1);
  }

  /** A response to a request of which the entry is kept. */
  response(packet: Packet, entry: number, status: number): void {
    const protocol = protocolOf(entry);
    const facts = this.#open(packet, true, protocol);
    if (status === 401 || status === 403) facts.denied++;
    if (status >= MISTAKE) this.message(packet, true, protocol, Kind.ERROR);
    if (status >= REDIRECTION) return;
    const kind = kindOfEntry(entry);
    if (kind === Kind.CALL) facts.calls++;
    if (isModelCall(protocol, kind)) facts.modelCalls++;
    if ((entry & Entry.ADDRESS) !== 0) facts.toAddress++;
    if (!isService(protocol, kind)) return;
    if ((entry & Entry.AUTH) === 0) facts.open++;
    else facts.granted++;
  }

  metadata(packet: Packet, isBare: boolean): void {
    const facts = this.#open(packet, false, this.facts.protocol);
    facts.metadata++;
    if (isBare) facts.bareMetadata++;
  }

  #open(packet: Packet, isFromServer: boolean, protocol: number): AgentFacts {
    const { facts } = this;
    facts.protocol = protocol;
    if (facts.packet === packet.number) return facts;
    facts.packet = packet.number;
    facts.isFromServer = isFromServer;
    facts.messages = 0;
    facts.calls = 0;
    facts.errors = 0;
    facts.mismatches = 0;
    facts.open = 0;
    facts.granted = 0;
    facts.denied = 0;
    facts.toAddress = 0;
    facts.asks = 0;
    facts.modelCalls = 0;
    facts.metadata = 0;
    facts.bareMetadata = 0;
    return facts;
  }
}

function isModelCall(protocol: number, kind: number): boolean {
  return protocol >= Protocol.OPENAI && kind === Kind.CALL;
}

/** True for what a server does or tells; the card of A2A is for everybody, and a note asks for nothing. */
function isService(protocol: number, kind: number): boolean {
  if (kind === Kind.DISCOVER) return protocol !== Protocol.A2A;
  return kind >= 0 && kind !== Kind.NOTIFY && kind !== Kind.OTHER && kind !== Kind.ERROR;
}
