// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition, SignalDefinition } from "../metrics/metric.ts";
import { FlowEvent } from "./tracker.ts";

/** Values of the `protocol` label of flows; `other` is every IP protocol without one of its own. */
export const FLOW_PROTOCOLS = ["tcp", "udp", "icmp", "icmpv6", "other"] as const;
const OTHER = FLOW_PROTOCOLS.indexOf("other");

/** Position in FLOW_PROTOCOLS by IP protocol number. */
export function flowProtocols(): Uint8Array {
  const positions = new Uint8Array(256).fill(OTHER);
  positions[6] = FLOW_PROTOCOLS.indexOf("tcp");
  positions[17] = FLOW_PROTOCOLS.indexOf("udp");
  positions[1] = FLOW_PROTOCOLS.indexOf("icmp");
  positions[58] = FLOW_PROTOCOLS.indexOf("icmpv6");
  return positions;
}

/** Why a flow left the table; positions in EVICTION_REASONS. */
export const Eviction = { CAPACITY: 0, IDLE: 1, CLOSED: 2 } as const;
const EVICTION_REASONS = ["capacity", "idle", "closed"] as const;

/** Handshake outcomes, in the order of the flow events from ESTABLISHED on. */
const OUTCOMES = ["established", "refused", "aborted", "unanswered"] as const;
export const FIRST_OUTCOME = FlowEvent.ESTABLISHED;
export const LAST_OUTCOME = FlowEvent.UNANSWERED;

export const flowsActive: MetricDefinition = {
  name: "nam_flows_active",
  help: "Flows in the table at the end of the last window.",
  type: "gauge",
  labels: { protocol: FLOW_PROTOCOLS },
};

export const flowsStarted: MetricDefinition = {
  name: "nam_flows_started_total",
  help: "Flows seen for the first time, both directions as one.",
  type: "counter",
  labels: { protocol: FLOW_PROTOCOLS },
};

export const flowsEvicted: MetricDefinition = {
  name: "nam_flows_evicted_total",
  help: "Flows that left the table. capacity: pushed out by a new flow while still alive; idle: silent for too long; closed: ended, refused or aborted.",
  type: "counter",
  labels: { reason: EVICTION_REASONS },
};

export const handshakes: MetricDefinition = {
  name: "nam_tcp_handshakes_total",
  help: "TCP handshakes by outcome. refused: reset by the server or ICMP unreachable; aborted: reset by the client when half open; unanswered: nothing came within 3 s.",
  type: "counter",
  labels: { outcome: OUTCOMES },
};

export const synTimeoutsMissed: MetricDefinition = {
  name: "nam_tcp_syn_timeouts_missed_total",
  help: "First SYNs that were not watched for an answer to the end because too many newer ones waited.",
  type: "counter",
};

export const flowTableMetrics: readonly MetricDefinition[] = [
  flowsStarted,
  flowsEvicted,
  handshakes,
  synTimeoutsMissed,
];

export const flowTableSignals: readonly SignalDefinition[] = [
  ...(["tcp", "udp", "icmp"] as const).map((protocol) => ({
    name: `flows_${protocol}`,
    help: `new ${protocol.toUpperCase()} flows`,
    metric: flowsStarted,
    where: { protocol },
    unit: "flows" as const,
  })),
  ...OUTCOMES.map((outcome) => ({
    name: `tcp_handshakes_${outcome}`,
    help: `TCP handshakes ${outcome}`,
    metric: handshakes,
    where: { outcome },
    unit: "flows" as const,
  })),
];
