// SPDX-License-Identifier: AGPL-3.0-or-later
import { AgentSpeech } from "./agents/agent-speech.ts";
import { agentMessages, agentMismatches } from "./agents/kinds.ts";
import { Conversations, conversationsForgotten } from "./conversations.ts";
import { Method, methodAt, statusAt } from "./http-line.ts";
import { createHttpNotes, httpRequests, httpResponses } from "./http-notes.ts";
import { HttpReader } from "./http-reader.ts";
import { After, ALL_FIELDS, FLOW_WORDS } from "./http-state.ts";
import { createHttp2Frames } from "./http2-frames.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
} from "./protocol.ts";

/** How methods and responses begin. */
const FIRST_BYTES = [..."BCDGHLMNOPQRSTU"].map((letter) => letter.charCodeAt(0));
/** The verdict of a flow that has to be found out. */
const OPEN = 0;

/** HTTP/1.x in clear text on any port (RFC 9112). */
export const http: ApplicationProtocol = {
  name: "http",
  help: "HTTP/1.x in clear text",
  layer: "application",
  ports: { tcp: [80, 3128, 8000, 8080] },
  firstBytes: { tcp: FIRST_BYTES },
  metrics: [httpRequests, httpResponses, agentMessages, agentMismatches, conversationsForgotten],
  signals: [
    { name: "http_requests", help: "HTTP requests", metric: httpRequests, unit: "messages" },
    {
      name: "http_server_errors",
      help: "HTTP responses of class 5xx",
      metric: httpResponses,
      where: { class: "5xx" },
      unit: "messages",
    },
  ],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  // By After.
  const verdicts = [Stop.DONE, context.position("websocket"), context.position("http2"), OPEN];
  const conversations = new Conversations(FLOW_WORDS, context);
  const agents = new AgentSpeech(conversations.state, context);
  const notes = context.shared(createHttpNotes);
  const http2 = context.shared(createHttp2Frames);
  const reader = new HttpReader(conversations.state, notes, agents);
  const { messages } = reader;
  const { facts } = notes;

  function decode(packet: Packet): number {
    // Of a flow that only its port names, this payload has just proved not to begin with a start line.
    if (packet.guessed) return Stop.DONE;
    const flow = conversations.of(packet);
    if (flow >= 0) reader.goOn(packet, flow);
    const from = flow < 0 ? packet.payloadAt : reader.placeIn(packet, flow);
    if (from < 0) return Stop.DONE;
    notes.turnTo(packet);
    if (flow < 0) return startLine(packet);
    const after = reader.read(packet, flow, from);
    facts.fields = messages.fields & ALL_FIELDS;
    facts.connectFamily = messages.connectFamily;
    facts.headerOpen = reader.headerOpen;
    facts.responseRest = reader.responseRest;
    facts.bodyPending = reader.bodyPending;
    if (messages.hostAt >= 0) notes.hostInPacket(messages.hostAt, messages.hostEnd);
    // Servers send their first frames along with the answer to the upgrade.
    if (after === After.HTTP2) http2.read(packet, reader.leftAt);
    return verdicts[after] as number;
  }

  /** Without a flow nothing is known of what came before: a start line counts where it begins the payload. */
  function startLine(packet: Packet): number {
    const { view, payloadAt, payloadEnd } = packet;
    const method = methodAt(view, payloadAt, payloadEnd);
    const status = statusAt(view, payloadAt, payloadEnd);
    if (method >= 0) notes.request(method);
    else if (status >= 0) notes.response(status);
    return method === Method.CONNECT ? OPEN : Stop.DONE;
  }

  return { recognises, decode, facts: { http: facts, agents: agents.counts.facts } };
}

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  return methodAt(view, payloadAt, payloadEnd) >= 0 || statusAt(view, payloadAt, payloadEnd) >= 0;
}
