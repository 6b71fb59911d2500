// SPDX-License-Identifier: AGPL-3.0-or-later
import type { TrackerRows } from "../../src/flow/window.ts";

type Row<Name extends keyof TrackerRows> = TrackerRows[Name][number];

export function targetRow(parts: Partial<Row<"targets">>): Row<"targets"> {
  return {
    ...{ destination: "10.0.0.80", ipProtocol: 6, flows: 0, answered: 0, refused: 0 },
    ...{ packets: 0, unanswered: 0, bytes: 0, ack: 0, rst: 0, fin: 0, synAck: 0, odd: 0 },
    ...{ land: 0, landSamePort: 0, replies: 0 },
    ...{ sources: 1, topSource: "198.51.100.9", topSourceVotes: 1 },
    ...{ topPort: 80, topPortVotes: 0 },
    ...parts,
  };
}

export function tcpProbeRow(parts: Partial<Row<"tcp_probes">>): Row<"tcp_probes"> {
  return {
    ...{ source: "198.51.100.9", none: 0, fin: 0, xmas: 0, other: 0, rejected: 0 },
    ...{ destinations: 1, ports: 1, topDestination: "10.0.0.80", topPort: 80 },
    ...parts,
  };
}

export function pairRow(parts: Partial<Row<"pairs">>): Row<"pairs"> {
  return {
    ...{ client: "198.51.100.9", server: "10.0.0.80", port: 80, connections: 0, starved: 0 },
    ...{ loginsFailed: 0, loginsSucceeded: 0, requests: 0, unauthorized: 0, brief: 0, stalled: 0 },
    empty: 0,
    ...parts,
  };
}

export function talkRow(parts: Partial<Row<"icmp_talks">>): Row<"icmp_talks"> {
  return {
    ...{ source: "198.51.100.9", destination: "10.0.0.80", ipVersion: 4, requests: 1, replies: 0 },
    ...{ payloadBytes: 56, longest: 56, lengthChanges: 0, mismatches: 0 },
    ...parts,
  };
}

export function arpAskerRow(parts: Partial<Row<"arp_askers">>): Row<"arp_askers"> {
  return {
    ...{ mac: "02:00:00:00:00:66", address: "10.0.0.66", requests: 0, targets: 0, answers: 0 },
    ...parts,
  };
}

export function reflectionRow(parts: Partial<Row<"reflections">>): Row<"reflections"> {
  return {
    ...{ victim: "10.0.0.80", port: 53, queries: 0, queryBytes: 0, answers: 0, answerBytes: 0 },
    ...{ unsolicited: 0, topServer: "198.51.100.53" },
    ...parts,
  };
}

export function zoneRow(parts: Partial<Row<"dns_zones">>): Row<"dns_zones"> {
  return {
    ...{ domain: "example.com", queries: 0, responses: 0, nxdomain: 0, servfail: 0 },
    ...{ subdomains: 0, clients: 1, topServer: "10.0.0.53", topServerQueries: 0 },
    ...parts,
  };
}

export function dhcpServerRow(parts: Partial<Row<"dhcp_servers">>): Row<"dhcp_servers"> {
  return {
    ...{ server: "10.0.0.254", mac: "02:00:00:00:00:fe", replies: 1 },
    ...{ router: "10.0.0.254", dnsServer: "10.0.0.53" },
    ...parts,
  };
}

export function routerRow(parts: Partial<Row<"routers">>): Row<"routers"> {
  return {
    ...{ router: "fe80::1", mac: "02:00:00:00:00:fe", advertisements: 1, lifetimeSeconds: 1800 },
    ...{ preference: 0, prefix: "2001:db8::/64" },
    ...parts,
  };
}
