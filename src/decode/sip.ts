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
import { ascii, replyCode, startsWith } from "./text-line.ts";
import { WordTable } from "./word-table.ts";

/** Requests that have a cell of their own, then those that share the last (RFC 3261 §7.1 and its extensions). */
const METHODS = [
  ...["invite", "register", "options", "bye"],
  ...[
    "ack",
    "cancel",
    "subscribe",
    "notify",
    "message",
    "publish",
    "info",
    "update",
    "prack",
    "refer",
  ],
];
const METHOD_LABELS = [...METHODS.slice(0, 4), "other"];
const OTHER = METHOD_LABELS.length - 1;
/** A method is followed by a URI; with its scheme it is no RTSP or HTTP. */
const SCHEMES = [ascii(" SIP:"), ascii(" SIPS:"), ascii(" TEL:")];
const STARTS = new WordTable(METHODS.map((name) => `${name.toUpperCase()} `));
const WORDS = METHODS.map((name) => ascii(name.toUpperCase()));
const STATUS = ascii("SIP/2.0 ");
const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx", "6xx"];
/** An ACK opens no dialog. */
const FIRST_BYTES = [
  ...new Set([
    "S",
    ...METHODS.filter((name) => name !== "ack").map((name) => name.slice(0, 1).toUpperCase()),
  ]),
].map((letter) => letter.charCodeAt(0));

const requests: MetricDefinition = {
  name: "nam_sip_requests_total",
  help: "SIP requests by method.",
  type: "counter",
  labels: { method: METHOD_LABELS },
};
const responses: MetricDefinition = {
  name: "nam_sip_responses_total",
  help: "SIP responses by class of status.",
  type: "counter",
  labels: { class: CLASSES },
};

/** SIP (RFC 3261), known by its start lines, or by port. */
export const sip: ApplicationProtocol = {
  name: "sip",
  help: "SIP",
  layer: "application",
  ports: { tcp: [5060], udp: [5060] },
  firstBytes: { tcp: FIRST_BYTES, udp: FIRST_BYTES },
  metrics: [requests, responses],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const { counters } = context;
  const requestCells = context.base(requests);
  const responseCells = context.base(responses);

  function decode(packet: Packet): number {
    const status = statusOf(packet);
    if (status >= 0) {
      add(counters, responseCells + Math.floor(status / 100) - 1, 1);
      return Stop.DONE;
    }
    const method = methodOf(packet);
    if (method >= 0) add(counters, requestCells + Math.min(method, OTHER), 1);
    return Stop.DONE;
  }

  return { recognises, decode };
}

function recognises(packet: Packet): boolean {
  return statusOf(packet) >= 0 || methodOf(packet) >= 0;
}

/** Status of the response that starts here, -1 without one. */
function statusOf({ view, payloadAt, payloadEnd }: Packet): number {
  if (!startsWith(view, payloadAt, payloadEnd, STATUS)) return -1;
  return replyCode(view, payloadAt + STATUS.length, payloadEnd);
}

/** Position in METHODS of the request that starts here, -1 without one. */
function methodOf({ view, payloadAt, payloadEnd }: Packet): number {
  if (payloadEnd - payloadAt < 4) return -1;
  const method = STARTS.find(view.getInt32(payloadAt));
  if (method < 0) return -1;
  const word = WORDS[method] as Uint8Array;
  if (!startsWith(view, payloadAt, payloadEnd, word)) return -1;
  const at = payloadAt + word.length;
  for (let i = 0; i < SCHEMES.length; i++) {
    if (startsWith(view, at, payloadEnd, SCHEMES[i] as Uint8Array)) return method;
  }
  return -1;
}
