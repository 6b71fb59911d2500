// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
} from "./protocol.ts";
import { fourBytes } from "./wire-text.ts";

/** Shortest start line that is looked at: `HTTP/1.1 200`. */
const MIN_LENGTH = 12;
const SPACE = 0x20;
const STATUS_AT = 9;
const ZERO = 0x30;
const RESPONSE = fourBytes("HTTP");
const VERSION_1 = fourBytes("/1.x") & ~0xff;

/** RFC 9110 §9.3 and RFC 5789, in the order of their cells. */
const METHODS = ["get", "post", "head", "put", "delete", "options", "patch", "connect", "trace"];
const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const Method = {
  GET: fourBytes("GET "),
  POST: fourBytes("POST"),
  HEAD: fourBytes("HEAD"),
  PUT: fourBytes("PUT "),
  DELETE: fourBytes("DELE"),
  OPTIONS: fourBytes("OPTI"),
  PATCH: fourBytes("PATC"),
  CONNECT: fourBytes("CONN"),
  TRACE: fourBytes("TRAC"),
} as const;

const requests: MetricDefinition = {
  name: "nam_http_requests_total",
  help: "HTTP/1.x requests in clear text by method.",
  type: "counter",
  labels: { method: METHODS },
};
const responses: MetricDefinition = {
  name: "nam_http_responses_total",
  help: "HTTP/1.x responses in clear text by class of status.",
  type: "counter",
  labels: { class: CLASSES },
};

/** HTTP/1.x in clear text on any port (RFC 9112): start lines are counted where they begin a segment. */
export const http: ApplicationProtocol = {
  name: "http",
  help: "HTTP/1.x in clear text",
  layer: "application",
  ports: { tcp: [80, 3128, 8000, 8080] },
  firstBytes: { tcp: [..."GPHDOCT"].map((letter) => letter.charCodeAt(0)) },
  givesWay: true,
  metrics: [requests, responses],
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
  const responseCells = context.base(responses);

  function decode(packet: Packet): number {
    const method = methodOf(packet);
    if (method >= 0) add(counters, requestCells + method, 1);
    else {
      const statusClass = statusClassOf(packet);
      if (statusClass >= 0) add(counters, responseCells + statusClass, 1);
    }
    return Stop.DONE;
  }

  return { recognises, decode };
}

function recognises(packet: Packet): boolean {
  return methodOf(packet) >= 0 || statusClassOf(packet) >= 0;
}

/** Position in METHODS of the request that starts here, -1 without one. */
function methodOf(packet: Packet): number {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < MIN_LENGTH) return -1;
  switch (view.getInt32(payloadAt)) {
    case Method.GET:
      return 0;
    case Method.POST:
      return followedBySpace(packet, 4, 1);
    case Method.HEAD:
      return followedBySpace(packet, 4, 2);
    case Method.PUT:
      return 3;
    case Method.DELETE:
      return followedBySpace(packet, 6, 4);
    case Method.OPTIONS:
      return followedBySpace(packet, 7, 5);
    case Method.PATCH:
      return followedBySpace(packet, 5, 6);
    case Method.CONNECT:
      return followedBySpace(packet, 7, 7);
    case Method.TRACE:
      return followedBySpace(packet, 5, 8);
    default:
      return -1;
  }
}

function followedBySpace(packet: Packet, length: number, method: number): number {
  return packet.view.getUint8(packet.payloadAt + length) === SPACE ? method : -1;
}

/** Position in CLASSES of the response that starts here, -1 without one. */
function statusClassOf(packet: Packet): number {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < MIN_LENGTH) return -1;
  if (view.getInt32(payloadAt) !== RESPONSE) return -1;
  if ((view.getInt32(payloadAt + 4) & ~0xff) !== VERSION_1) return -1;
  const hundreds = view.getUint8(payloadAt + STATUS_AT) - ZERO;
  return hundreds >= 1 && hundreds <= CLASSES.length ? hundreds - 1 : -1;
}
