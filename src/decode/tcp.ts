// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import { type Packet, TcpFlag } from "./packet.ts";
import { type DecodeContext, type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const DESTINATION_PORT_AT = 2;
const SEQUENCE_AT = 4;
const ACKNOWLEDGMENT_AT = 8;
const DATA_OFFSET_AT = 12;
const FLAGS_AT = 13;
const WINDOW_AT = 14;
const MIN_HEADER_LENGTH = 20;
export const TCP_NUMBER = 6;

const { DONE, MALFORMED, TRUNCATED } = Stop;
const { FIN, SYN, RST, PSH, ACK, URG } = TcpFlag;
const XMAS = FIN | PSH | URG;
/** Label values, and the offset of each one's cell. */
const FLAGS = ["ack", "psh", "syn", "syn_ack", "fin", "rst", "urg", "null", "xmas"] as const;
export const TCP_FLAG_CELLS = {
  ACK: 0,
  PSH: 1,
  SYN: 2,
  SYN_ACK: 3,
  FIN: 4,
  RST: 5,
  URG: 6,
  NULL: 7,
  XMAS: 8,
} as const;

export const tcpSegments: MetricDefinition = {
  name: "nam_tcp_segments_total",
  help: "TCP segments by flag; a segment counts once for each flag it carries. syn: without ACK; syn_ack: both; null: no flag at all; xmas: FIN, PSH and URG.",
  type: "counter",
  labels: { flag: FLAGS },
};

/** TCP (RFC 9293), options skipped; where the capture cut some of them off, the rest of the header counts all the same. */
export const tcp: HeaderProtocol = {
  name: "tcp",
  help: "TCP",
  layer: "transport",
  keys: [ipKey(TCP_NUMBER)],
  metrics: [tcpSegments],
  signals: [flagSignal("syn"), flagSignal("syn_ack"), flagSignal("fin"), flagSignal("rst")],
  create,
};

function flagSignal(flag: (typeof FLAGS)[number]) {
  return {
    name: `tcp_${flag}`,
    help: `TCP tcpSegments, flag ${flag}`,
    metric: tcpSegments,
    where: { flag },
    unit: "packets",
  } as const;
}

function create(context: DecodeContext): (packet: Packet) => number {
  const { counters } = context;
  const cells = context.base(tcpSegments);

  return function decode(packet: Packet): number {
    const { view, at } = packet;
    const available = packet.end - at;
    if (available < MIN_HEADER_LENGTH) return short(packet);
    const headerLength = (view.getUint8(at + DATA_OFFSET_AT) >>> 4) << 2;
    if (headerLength < MIN_HEADER_LENGTH) return MALFORMED;
    const isWhole = available >= headerLength;
    if (!isWhole && !(packet.cut && packet.sentEnd >= at + headerLength)) return MALFORMED;
    const flags = view.getUint8(at + FLAGS_AT);
    packet.transportAt = at;
    packet.sourcePort = view.getUint16(at);
    packet.destinationPort = view.getUint16(at + DESTINATION_PORT_AT);
    packet.tcpSequence = view.getInt32(at + SEQUENCE_AT);
    packet.tcpAcknowledgment = view.getInt32(at + ACKNOWLEDGMENT_AT);
    packet.tcpFlags = flags;
    packet.tcpWindow = view.getUint16(at + WINDOW_AT);
    const payloadAt = at + headerLength;
    packet.at = payloadAt;
    packet.payloadAt = payloadAt;
    packet.payloadEnd = isWhole ? packet.end : payloadAt;
    packet.payloadLength = packet.sentEnd - payloadAt;
    add(counters, cells + TCP_FLAG_CELLS.ACK, (flags >>> 4) & 1);
    add(counters, cells + TCP_FLAG_CELLS.PSH, (flags >>> 3) & 1);
    if ((flags & ~(ACK | PSH)) !== 0 || flags === 0) countRare(counters, cells, flags);
    return isWhole ? DONE : TRUNCATED;
  };
}

/** The flags that few tcpSegments carry: looked at one by one only where there is any. */
function countRare(counters: Float64Array, base: number, flags: number): void {
  if ((flags & SYN) !== 0)
    add(counters, base + ((flags & ACK) === 0 ? TCP_FLAG_CELLS.SYN : TCP_FLAG_CELLS.SYN_ACK), 1);
  if ((flags & FIN) !== 0) add(counters, base + TCP_FLAG_CELLS.FIN, 1);
  if ((flags & RST) !== 0) add(counters, base + TCP_FLAG_CELLS.RST, 1);
  if ((flags & URG) !== 0) add(counters, base + TCP_FLAG_CELLS.URG, 1);
  if (flags === 0) add(counters, base + TCP_FLAG_CELLS.NULL, 1);
  if ((flags & XMAS) === XMAS) add(counters, base + TCP_FLAG_CELLS.XMAS, 1);
}
