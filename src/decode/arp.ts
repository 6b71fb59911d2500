// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import type { Packet } from "./packet.ts";
import { type DecodeContext, etherKey, type HeaderProtocol, Stop, short } from "./protocol.ts";

const HARDWARE_LENGTH_AT = 4;
const PROTOCOL_LENGTH_AT = 5;
const OPERATION_AT = 6;
const FIXED_LENGTH = 8;
const OPERATIONS = ["request", "reply", "other"] as const;
const OTHER_OPERATION = 3;

const arpMessages: MetricDefinition = {
  name: "nam_arp_messages_total",
  help: "ARP messages by operation.",
  type: "counter",
  labels: { operation: OPERATIONS },
};

/**
 * ARP (RFC 826) and RARP (RFC 903), which has its format. `networkAt` is set for ARP requests and replies whose
 * addresses were captured.
 */
export const arp: HeaderProtocol = {
  name: "arp",
  help: "ARP",
  layer: "network",
  keys: [etherKey(0x0806), etherKey(0x8035)],
  metrics: [arpMessages],
  signals: [
    {
      name: "arp_replies",
      help: "ARP replies",
      metric: arpMessages,
      where: { operation: "reply" },
      unit: "messages",
    },
  ],
  create,
};

function create(context: DecodeContext): (packet: Packet) => number {
  const { counters } = context;
  const messages = context.base(arpMessages);

  return function decode(packet: Packet): number {
    const { view, at } = packet;
    const available = packet.end - at;
    if (available < FIXED_LENGTH) return short(packet);
    const addresses =
      view.getUint8(at + HARDWARE_LENGTH_AT) + view.getUint8(at + PROTOCOL_LENGTH_AT);
    if (available < FIXED_LENGTH + 2 * addresses) return short(packet);
    const operation = view.getUint16(at + OPERATION_AT);
    const known = operation > 0 && operation < OTHER_OPERATION;
    if (known) packet.networkAt = at;
    add(counters, messages + (known ? operation : OTHER_OPERATION) - 1, 1);
    return Stop.DONE;
  };
}
