// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import { METHODS } from "./http-line.ts";
import type { Packet } from "./packet.ts";
import type { DecodeContext } from "./protocol.ts";
import { WireText } from "./wire-text.ts";

const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const HOST_MAX = 255;
const NOTHING_SPECIAL = 0;

export const httpRequests: MetricDefinition = {
  name: "nam_http_requests_total",
  help: "HTTP requests in clear text by method, once their header is complete: HTTP/1.x, and HTTP/2 without what servers push.",
  type: "counter",
  labels: { method: METHODS },
};
export const httpResponses: MetricDefinition = {
  name: "nam_http_responses_total",
  help: "HTTP responses in clear text by class of status, once their header is complete: HTTP/1.x and HTTP/2.",
  type: "counter",
  labels: { class: CLASSES },
};

declare module "./packet.ts" {
  interface PacketFacts {
    /** HTTP in the last segment of it; this packet's while `http.packet === packet.number`. */
    readonly http?: Readonly<HttpFacts>;
  }
}

/** What a segment of HTTP tells, for trackers. */
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
  /** Bytes of the server's last response that are to come behind this segment; -1 where that is not known, or others are owed. */
  responseRest: number;
  /** True where the segment ends within a response's header or right behind it, and the response goes on. */
  bodyPending: boolean;
  /** The family of client, as in the `family` label, that the User-Agent of a CONNECT in this segment names; empty without. */
  connectFamily: string;
  /** The last Host value in this segment, lower case and escaped; null without one. Makes a string. */
  host(packet: Packet): string | null;
}

/** Counts the messages of HTTP, of whichever version, and keeps the facts of the segment that is being read. */
export class HttpNotes {
  readonly facts: HttpFacts;
  readonly #counters: Float64Array;
  readonly #requests: number;
  readonly #responses: number;
  readonly #text = new WireText(HOST_MAX);
  /** A host that does not stand in the segment as it is. */
  readonly #copied = new DataView(new ArrayBuffer(HOST_MAX));
  #isCopied = false;
  #hostAt = -1;
  #hostEnd = -1;

  constructor(context: DecodeContext) {
    this.#counters = context.counters;
    this.#requests = context.base(httpRequests);
    this.#responses = context.base(httpResponses) - 1;
    this.facts = {
      packet: -1,
      requests: 0,
      responses: 0,
      method: -1,
      status: -1,
      fields: 0,
      headerOpen: false,
      responseRest: -1,
      bodyPending: false,
      connectFamily: "",
      host: (packet) => this.#host(packet),
    };
  }

  /** The facts are those of this packet from here on; what was noted of it already stays. */
  turnTo({ number }: Packet): void {
    const { facts } = this;
    if (facts.packet === number) return;
    facts.packet = number;
    facts.requests = 0;
    facts.responses = 0;
    facts.method = -1;
    facts.status = -1;
    facts.fields = 0;
    facts.headerOpen = false;
    facts.responseRest = -1;
    facts.bodyPending = false;
    facts.connectFamily = "";
    this.#hostAt = -1;
  }

  /** `method`: a position in METHODS. */
  request(method: number): void {
    this.facts.requests++;
    this.facts.method = method;
    add(this.#counters, this.#requests + method, 1);
  }

  /** `status`: from 100 to 599. */
  response(status: number): void {
    this.facts.responses++;
    this.facts.status = status;
    add(this.#counters, this.#responses + Math.floor(status / 100), 1);
  }

  /** The host is `[at, end)` of the packet. */
  hostInPacket(at: number, end: number): void {
    this.#isCopied = false;
    this.#hostAt = at;
    this.#hostEnd = end;
  }

  /** The host is `[at, end)` of `view`, which is not the packet's: it is copied, as far as hosts are shown. */
  hostElsewhere(view: DataView, at: number, end: number): void {
    const length = Math.min(end - at, HOST_MAX);
    for (let i = 0; i < length; i++) this.#copied.setUint8(i, view.getUint8(at + i));
    this.#isCopied = true;
    this.#hostAt = 0;
    this.#hostEnd = length;
  }

  #host(packet: Packet): string | null {
    if (this.#hostAt < 0) return null;
    const view = this.#isCopied ? this.#copied : packet.view;
    const length = Math.min(this.#hostEnd - this.#hostAt, HOST_MAX);
    this.#text.append(view, this.#hostAt, length, NOTHING_SPECIAL);
    return this.#text.take();
  }
}

/** For `context.shared`: one of them a decoder. */
export function createHttpNotes(context: DecodeContext): HttpNotes {
  return new HttpNotes(context);
}
