// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import { AgentSpeech } from "./agents/agent-speech.ts";
import { agentMessages, agentMismatches } from "./agents/kinds.ts";
import { Conversations, conversationsForgotten } from "./conversations.ts";
import { METHODS, Method, methodAt, statusAt } from "./http-line.ts";
import { HttpReader } from "./http-reader.ts";
import { ALL_FIELDS, FLOW_WORDS } from "./http-state.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
} from "./protocol.ts";
import { WireText } from "./wire-text.ts";

const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/** How methods and responses begin. */
const FIRST_BYTES = [..."BCDGHLMNOPQRSTU"].map((letter) => letter.charCodeAt(0));
/** The verdict of a flow that has to be found out. */
const OPEN = 0;
const HOST_MAX = 255;
const NOTHING_SPECIAL = 0;

const requests: MetricDefinition = {
  name: "nam_http_requests_total",
  help: "HTTP/1.x requests in clear text by method, once their header is complete.",
  type: "counter",
  labels: { method: METHODS },
};
const responses: MetricDefinition = {
  name: "nam_http_responses_total",
  help: "HTTP/1.x responses in clear text by class of status, once their header is complete.",
  type: "counter",
  labels: { class: CLASSES },
};

declare module "./packet.ts" {
  interface PacketFacts {
    /** HTTP/1.x in the last segment of it; this packet's while `http.packet === packet.number`. */
    readonly http?: Readonly<HttpFacts>;
  }
}

/** What a segment of HTTP/1.x tells, for trackers. */
export interface HttpFacts {
  packet: number;
  /** Messages whose header became complete in this segment. */
  requests: number;
  responses: number;
  /** Position of the last request's method in METHODS, -1 without one. */
  method: number;
  /** Status of the last response, -1 without one. */
  status: number;
  /** Bits of Field (http-field.ts) and AgentField (agents/agent-field.ts) of the last of these messages. */
  fields: number;
  /** True where the client has begun a request header and this segment has not ended it. */
  headerOpen: boolean;
  /** The last Host value in this segment, lower case and escaped; null without one. Makes a string. */
  host(packet: Packet): string | null;
}

/** HTTP/1.x in clear text on any port (RFC 9112). */
export const http: ApplicationProtocol = {
  name: "http",
  help: "HTTP/1.x in clear text",
  layer: "application",
  ports: { tcp: [80, 3128, 8000, 8080] },
  firstBytes: { tcp: FIRST_BYTES },
  metrics: [requests, responses, agentMessages, agentMismatches, conversationsForgotten],
  signals: [
    { name: "http_requests", help: "HTTP/1.x requests", metric: requests, unit: "messages" },
    {
      name: "http_server_errors",
      help: "HTTP/1.x responses of class 5xx",
      metric: responses,
      where: { class: "5xx" },
      unit: "messages",
    },
  ],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const { counters } = context;
  const requestCells = context.base(requests);
  const responseCells = context.base(responses) - 1;
  // By After.
  const verdicts = [Stop.DONE, context.position("websocket"), context.position("http2"), OPEN];
  const conversations = new Conversations(FLOW_WORDS, context);
  const agents = new AgentSpeech(conversations.state, context);
  const reader = new HttpReader(conversations.state, { request, response }, agents);
  const { messages } = reader;
  const text = new WireText(HOST_MAX);
  const facts: HttpFacts = {
    packet: -1,
    requests: 0,
    responses: 0,
    method: -1,
    status: -1,
    fields: 0,
    headerOpen: false,
    host: ({ view }) => {
      if (messages.hostAt < 0) return null;
      const length = Math.min(messages.hostEnd - messages.hostAt, HOST_MAX);
      text.append(view, messages.hostAt, length, NOTHING_SPECIAL);
      return text.take();
    },
  };

  function decode(packet: Packet): number {
    // Of a flow that only its port names, this payload has just proved not to begin with a start line.
    if (packet.guessed) return Stop.DONE;
    const flow = conversations.of(packet);
    if (flow >= 0) reader.goOn(packet, flow);
    const from = flow < 0 ? packet.payloadAt : reader.placeIn(packet, flow);
    if (from < 0) return Stop.DONE;
    facts.packet = packet.number;
    facts.requests = 0;
    facts.responses = 0;
    facts.method = -1;
    facts.status = -1;
    if (flow < 0) return startLine(packet);
    const after = reader.read(packet, flow, from);
    facts.fields = messages.fields & ALL_FIELDS;
    facts.headerOpen = reader.headerOpen;
    return verdicts[after] as number;
  }

  /** Without a flow nothing is known of what came before: a start line counts where it begins the payload. */
  function startLine(packet: Packet): number {
    const { view, payloadAt, payloadEnd } = packet;
    const method = methodAt(view, payloadAt, payloadEnd);
    const status = statusAt(view, payloadAt, payloadEnd);
    if (method >= 0) request(method);
    else if (status >= 0) response(status);
    facts.headerOpen = false;
    facts.fields = 0;
    return method === Method.CONNECT ? OPEN : Stop.DONE;
  }

  function request(method: number): void {
    facts.requests++;
    facts.method = method;
    add(counters, requestCells + method, 1);
  }

  function response(status: number): void {
    facts.responses++;
    facts.status = status;
    add(counters, responseCells + Math.floor(status / 100), 1);
  }

  return { recognises, decode, facts: { http: facts, agents: agents.counts.facts } };
}

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  return methodAt(view, payloadAt, payloadEnd) >= 0 || statusAt(view, payloadAt, payloadEnd) >= 0;
}
