// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add, u8 } from "../util/typed.ts";
import { kindsOf } from "./kinds.ts";
import type { Packet } from "./packet.ts";
import { type DecodeContext, type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const CODE_AT = 1;
const HEADER_LENGTH = 8;
const QUOTED_HEADER_LENGTH = 20;
/** RFC 792: unreachable, source quench, redirect, time exceeded, parameter problem. */
const ERRORS = (1 << 3) | (1 << 4) | (1 << 5) | (1 << 11) | (1 << 12);

/** https://www.iana.org/assignments/icmp-parameters */
const kinds = kindsOf({
  echo_request: [8],
  echo_reply: [0],
  unreachable: [3],
  source_quench: [4],
  redirect: [5],
  router_advertisement: [9],
  router_solicitation: [10],
  time_exceeded: [11],
  parameter_problem: [12],
  timestamp: [13, 14],
  address_mask: [17, 18],
});

const messages: MetricDefinition = {
  name: "nam_icmp_messages_total",
  help: "ICMP messages by kind.",
  type: "counter",
  labels: { kind: kinds.labels },
};

/** ICMP (RFC 792). Errors quote the header of the packet that they are about. */
export const icmp: HeaderProtocol = {
  name: "icmp",
  help: "ICMP",
  layer: "transport",
  keys: [ipKey(1)],
  metrics: [messages],
  signals: (["echo_request", "unreachable", "redirect"] as const).map((kind) => ({
    name: `icmp_${kind}`,
    help: `ICMP messages, kind ${kind}`,
    metric: messages,
    where: { kind },
    unit: "messages",
  })),
  create,
};

function create(context: DecodeContext): (packet: Packet) => number {
  const { counters } = context;
  const cells = context.base(messages);
  const { positions } = kinds;

  return function decode(packet: Packet): number {
    const { view, at } = packet;
    if (packet.end - at < HEADER_LENGTH) return short(packet);
    const type = view.getUint8(at);
    packet.transportAt = at;
    packet.at = at + HEADER_LENGTH;
    packet.icmpType = type;
    packet.icmpCode = view.getUint8(at + CODE_AT);
    add(counters, cells + u8(positions, type), 1);
    if (type < 32 && ((ERRORS >>> type) & 1) !== 0) quote(packet);
    return Stop.DONE;
  };
}

function quote(packet: Packet): void {
  if (packet.end - packet.at < QUOTED_HEADER_LENGTH) return;
  if (packet.view.getUint8(packet.at) >>> 4 === 4) packet.quotedAt = packet.at;
}
