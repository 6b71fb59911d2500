// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import type { Packet } from "./packet.ts";
import { type ApplicationProtocol, type DecodeContext, Stop, short } from "./protocol.ts";

/** Message type and transaction id, RFC 8415 §8. */
const HEADER_LENGTH = 4;
const REPLY = 7;
/** RFC 8415 §7.3: numbers of the types that have a cell; the others share one. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [1, "solicit"],
  [2, "advertise"],
  [3, "request"],
  [REPLY, "reply"],
]);
const TYPE_LABELS = [...TYPES.values(), "other"];
const LAST_TYPE = 36;

const messages: MetricDefinition = {
  name: "nam_dhcpv6_messages_total",
  help: "DHCPv6 messages by type.",
  type: "counter",
  labels: { type: TYPE_LABELS },
};

/** DHCPv6 (RFC 8415), known by port. */
export const dhcpv6: ApplicationProtocol = {
  name: "dhcpv6",
  help: "DHCPv6",
  layer: "application",
  ports: { udp: [546, 547] },
  metrics: [messages],
  create: (context) => ({ decode: decoder(context) }),
};

function decoder(context: DecodeContext): (packet: Packet) => number {
  const { counters } = context;
  const base = context.base(messages);
  return (packet) => {
    if (packet.payloadEnd - packet.payloadAt < HEADER_LENGTH) return short(packet);
    const type = packet.view.getUint8(packet.payloadAt);
    if (type === 0 || type > LAST_TYPE) return Stop.UNSUPPORTED;
    add(counters, base + cellOf(type), 1);
    return Stop.DONE;
  };
}

function cellOf(type: number): number {
  if (type <= 3) return type - 1;
  return type === REPLY ? 3 : TYPE_LABELS.length - 1;
}
