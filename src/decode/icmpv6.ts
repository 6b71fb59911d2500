// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add, u8 } from "../util/typed.ts";
import { kindsOf } from "./kinds.ts";
import { NeighborDiscovery } from "./neighbor-discovery.ts";
import type { Packet } from "./packet.ts";
import { type DecodeContext, type HeaderProtocol, ipKey, Stop, short } from "./protocol.ts";

const CODE_AT = 1;
/** RFC 4443 §2.1: type, code and checksum; messages may be no longer. */
const HEADER_LENGTH = 4;
const QUOTE_AT = 8;
const QUOTED_HEADER_LENGTH = 40;
const FIRST_INFORMATIONAL = 128;
const FIRST_DISCOVERY = 133;
const LAST_DISCOVERY = 137;

/** https://www.iana.org/assignments/icmpv6-parameters */
const kinds = kindsOf({
  unreachable: [1],
  packet_too_big: [2],
  time_exceeded: [3],
  parameter_problem: [4],
  echo_request: [128],
  echo_reply: [129],
  mld_query: [130],
  mld_report: [131, 143],
  mld_done: [132],
  router_solicitation: [133],
  router_advertisement: [134],
  neighbor_solicitation: [135],
  neighbor_advertisement: [136],
  redirect: [137],
});

const messages: MetricDefinition = {
  name: "nam_icmpv6_messages_total",
  help: "ICMPv6 messages by kind, neighbor discovery and multicast listener discovery among them.",
  type: "counter",
  labels: { kind: kinds.labels },
};

const SIGNALS = ["router_advertisement", "neighbor_advertisement"] as const;

/** ICMPv6 (RFC 4443) and neighbor discovery. Errors quote the header of the packet that they are about. */
export const icmpv6: HeaderProtocol = {
  name: "icmpv6",
  help: "ICMPv6",
  layer: "transport",
  keys: [ipKey(58)],
  metrics: [messages],
  signals: SIGNALS.map((kind) => ({
    name: `icmpv6_${kind}`,
    help: `ICMPv6 messages, kind ${kind}`,
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
  const discovery = new NeighborDiscovery(context.facts);

  return function decode(packet: Packet): number {
    const { view, at } = packet;
    if (packet.end - at < HEADER_LENGTH) return short(packet);
    const type = view.getUint8(at);
    packet.transportAt = at;
    packet.at = at + HEADER_LENGTH;
    packet.icmpType = type;
    packet.icmpCode = view.getUint8(at + CODE_AT);
    add(counters, cells + u8(positions, type), 1);
    if (type < FIRST_INFORMATIONAL) quote(packet, at + QUOTE_AT);
    else if (type >= FIRST_DISCOVERY && type <= LAST_DISCOVERY) return discovery.read(packet, at);
    return Stop.DONE;
  };
}

function quote(packet: Packet, at: number): void {
  if (packet.end - at < QUOTED_HEADER_LENGTH) return;
  if (packet.view.getUint8(at) >>> 4 === 6) packet.quotedAt = at;
}
