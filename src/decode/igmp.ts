// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add, u8 } from "../util/typed.ts";
import { kindsOf } from "./kinds.ts";
import type { Packet } from "./packet.ts";
import { type DecodeContext, type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const HEADER_LENGTH = 8;
/** RFC 9776 §4, with the older versions' messages of §4 and RFC 1112, RFC 2236. */
const kinds = kindsOf({
  query: [0x11],
  v1_report: [0x12],
  v2_report: [0x16],
  v3_report: [0x22],
  leave: [0x17],
});

const messages: MetricDefinition = {
  name: "nam_igmp_messages_total",
  help: "IGMP messages by kind; a query is the same in every version.",
  type: "counter",
  labels: { kind: kinds.labels },
};

/** IGMP, versions 1 to 3 (RFC 9776). */
export const igmp: HeaderProtocol = {
  name: "igmp",
  help: "IGMP",
  layer: "transport",
  keys: [ipKey(2)],
  metrics: [messages],
  create,
};

function create(context: DecodeContext): (packet: Packet) => number {
  const { counters } = context;
  const cells = context.base(messages);
  const { positions } = kinds;

  return function decode(packet: Packet): number {
    const { view, at } = packet;
    if (packet.end - at < HEADER_LENGTH) return short(packet);
    packet.transportAt = at;
    add(counters, cells + u8(positions, view.getUint8(at)), 1);
    return Stop.DONE;
  };
}
