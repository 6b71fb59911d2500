// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add, u8 } from "../util/typed.ts";
import { Fragment } from "./ip-datagram.ts";
import { kindsOf } from "./kinds.ts";
import type { Packet } from "./packet.ts";
import { type DecodeContext, type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const DESTINATION_PORT_AT = 2;
const HEADER_LENGTH = 12;
const CHUNK_LENGTH_AT = 2;
const CHUNK_HEADER = 4;
const CHUNK_ALIGNMENT = 4;

/** https://www.iana.org/assignments/sctp-parameters */
const kinds = kindsOf({
  data: [0, 64],
  init: [1],
  init_ack: [2],
  sack: [3],
  heartbeat: [4],
  heartbeat_ack: [5],
  abort: [6],
  shutdown: [7, 8, 14],
  error: [9],
  cookie: [10, 11],
});

const chunks: MetricDefinition = {
  name: "nam_sctp_chunks_total",
  help: "SCTP chunks by kind; a packet bundles several.",
  type: "counter",
  labels: { kind: kinds.labels },
};

/** SCTP (RFC 9260): ports, and the kinds of its chunks. */
export const sctp: HeaderProtocol = {
  name: "sctp",
  help: "SCTP",
  layer: "transport",
  keys: [ipKey(132)],
  metrics: [chunks],
  create,
};

function create(context: DecodeContext): (packet: Packet) => number {
  const { counters } = context;
  const cells = context.base(chunks);

  return function decode(packet: Packet): number {
    const { view, at } = packet;
    if (packet.end - at < HEADER_LENGTH) return short(packet);
    packet.transportAt = at;
    packet.sourcePort = view.getUint16(at);
    packet.destinationPort = view.getUint16(at + DESTINATION_PORT_AT);
    packet.at = at + HEADER_LENGTH;
    return countChunks(packet, counters, cells);
  };
}

/** Counts the chunks whose headers were captured. */
function countChunks(packet: Packet, counters: Float64Array, cells: number): number {
  const { view, end } = packet;
  const { positions } = kinds;
  let at = packet.at;
  while (end - at >= CHUNK_HEADER) {
    const length = view.getUint16(at + CHUNK_LENGTH_AT);
    if (length < CHUNK_HEADER) return Stop.MALFORMED;
    if (at + length > packet.sentEnd && packet.fragment === Fragment.WHOLE) return Stop.MALFORMED;
    add(counters, cells + u8(positions, view.getUint8(at)), 1);
    at += (length + CHUNK_ALIGNMENT - 1) & -CHUNK_ALIGNMENT;
  }
  return at >= packet.sentEnd ? Stop.DONE : short(packet);
}
