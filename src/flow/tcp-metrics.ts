// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition, SignalDefinition } from "../metrics/metric.ts";

export const tcpRetransmissions: MetricDefinition = {
  name: "nam_tcp_retransmissions_total",
  help: "TCP segments with bytes that were captured before, or that fill a hole more than 3 ms after it appeared; keep-alives left out.",
  type: "counter",
};

export const tcpOutOfOrder: MetricDefinition = {
  name: "nam_tcp_out_of_order_total",
  help: "TCP segments that fill a hole within 3 ms: overtaken on the way, not sent again.",
  type: "counter",
};

export const tcpPayloadBytes: MetricDefinition = {
  name: "nam_tcp_payload_bytes_total",
  help: "Bytes of TCP payload, those sent again among them.",
  type: "counter",
};

export const tcpUnseenBytes: MetricDefinition = {
  name: "nam_tcp_unseen_bytes_total",
  help: "Bytes that the other end of a TCP connection acknowledged but that were never captured: lost before the capture.",
  type: "counter",
};

export const tcpZeroWindows: MetricDefinition = {
  name: "nam_tcp_zero_windows_total",
  help: "TCP segments, without SYN, FIN and RST, whose sender can take no more.",
  type: "counter",
};

/** Upper bounds in seconds: from a neighbour to a satellite. */
export const RTT_BUCKETS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3] as const;

export const tcpRtt: MetricDefinition = {
  name: "nam_tcp_rtt_seconds",
  help: "Round-trip times of TCP handshakes, from the SYN to the acknowledgment of its answer, of which nothing was sent twice.",
  type: "histogram",
  buckets: RTT_BUCKETS,
};

export const tcpMetrics: readonly MetricDefinition[] = [
  tcpRetransmissions,
  tcpOutOfOrder,
  tcpPayloadBytes,
  tcpUnseenBytes,
  tcpZeroWindows,
  tcpRtt,
];

export const tcpSignals: readonly SignalDefinition[] = [
  {
    name: "tcp_retransmissions",
    help: "TCP retransmissions",
    metric: tcpRetransmissions,
    unit: "packets",
  },
  {
    name: "tcp_zero_windows",
    help: "TCP segments that shut the window",
    metric: tcpZeroWindows,
    unit: "packets",
  },
];
