// SPDX-License-Identifier: AGPL-3.0-or-later
import type { PanelBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { line, stacked, timeseries } from "../panels.ts";
import { rate, select } from "../select.ts";

/** What the protocols themselves say: who answers whom, and who asks for too much. */
export function protocolPanels(): PanelBuilder[] {
  return [
    handshakes(),
    segments(),
    distinct(),
    dnsMessages(),
    dnsResponses(),
    hellos(),
    flows(),
    sizes(),
    errors(),
  ];
}

function handshakes(): PanelBuilder {
  return stacked(
    {
      title: "TCP handshakes by outcome",
      description:
        "Refused and unanswered attempts that grow beside established ones are a scan, a flood, or a service that is down.",
      unit: units.OpsPerSecond,
    },
    8,
  ).withTarget(line(`sum by (outcome) (${rate("nam_tcp_handshakes_total")})`, "{{outcome}}"));
}

function segments(): PanelBuilder {
  return timeseries(
    {
      title: "TCP segments by flag",
      description:
        "A segment counts once for each flag it carries. More syn than syn_ack is a flood or a scan; null and xmas are scans.",
      unit: units.PacketsPerSecond,
    },
    8,
  ).withTarget(line(`sum by (flag) (${rate("nam_tcp_segments_total")}) > 0`, "{{flag}}"));
}

function distinct(): PanelBuilder {
  return timeseries(
    {
      title: "Distinct addresses and ports",
      description:
        "Estimates over the last minute of who opened flows (sources), to how many addresses and to how many ports. Many ports: a port scan. Many destinations: a sweep. Many sources: a flood from many hosts or with forged addresses.",
      unit: units.Short,
    },
    8,
  ).withTarget(
    line(`max by (instance, what) (${select("nam_distinct")})`, "{{instance}} {{what}}"),
  );
}

function dnsMessages(): PanelBuilder {
  return stacked(
    {
      title: "DNS messages by type",
      description:
        "DNS over UDP by type of the first question. Many TXT or NULL questions may be a tunnel.",
      unit: units.MessagesPerSecond,
    },
    8,
  ).withTarget(
    line(`sum by (kind, qtype) (${rate("nam_dns_messages_total")}) > 0`, "{{kind}} {{qtype}}"),
  );
}

function dnsResponses(): PanelBuilder {
  return stacked(
    {
      title: "DNS responses by code",
      description:
        "NXDOMAIN that grows while the rest does not is a broken resolver, a typo in a configuration, or malware that tries names.",
      unit: units.MessagesPerSecond,
    },
    8,
  ).withTarget(line(`sum by (rcode) (${rate("nam_dns_responses_total")}) > 0`, "{{rcode}}"));
}

function hellos(): PanelBuilder {
  return stacked(
    {
      title: "TLS hellos by client family",
      description:
        "ClientHellos by the family of the client, which is read from its fingerprint, and by the version it offers.",
      unit: units.OpsPerSecond,
    },
    8,
  ).withTarget(
    line(
      `sum by (family, version) (${rate("nam_tls_hellos_total")}) > 0`,
      "{{family}} {{version}}",
    ),
  );
}

function flows(): PanelBuilder {
  return timeseries(
    {
      title: "Flows",
      description:
        "Flows in the table now, and flows that began a second (right). Flows pushed out for lack of room are in the row about the monitor's health.",
      unit: units.Short,
    },
    8,
  )
    .min(0)
    .withTarget(
      line(`sum by (protocol) (${select("nam_flows_active")}) > 0`, "{{protocol}} active"),
    )
    .withTarget(
      line(`sum by (protocol) (${rate("nam_flows_started_total")}) > 0`, "{{protocol}} new"),
    )
    .overrideByRegexp("/ new$/", [
      { id: "unit", value: units.OpsPerSecond },
      { id: "custom.axisPlacement", value: "right" },
    ]);
}

function sizes(): PanelBuilder {
  const quantile = (share: number): string =>
    `histogram_quantile(${share}, sum by (le) (${rate("nam_packet_size_bytes_bucket")}))`;
  return timeseries(
    {
      title: "Packet size",
      description:
        "Length of packets on the wire: median and 90th percentile. A median near the smallest size is a flood of small packets.",
      unit: units.BytesSI,
    },
    8,
  )
    .min(0)
    .withTarget(line(quantile(0.5), "median"))
    .withTarget(line(quantile(0.9), "90th percentile"));
}

function errors(): PanelBuilder {
  return stacked(
    {
      title: "Frames not decoded to the end",
      description:
        "truncated: the capture cut the packet. malformed: the sender broke the rules. unsupported: a protocol this monitor does not know.",
      unit: units.PacketsPerSecond,
    },
    8,
  ).withTarget(
    line(`sum by (layer, reason) (${rate("nam_frame_errors_total")}) > 0`, "{{layer}} {{reason}}"),
  );
}
