// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "../../src/detect/detector.ts";
import {
  arpAskerRow,
  dhcpServerRow,
  pairRow,
  reflectionRow,
  routerRow,
  talkRow,
  targetRow,
  tcpProbeRow,
  zoneRow,
} from "./attack-rows.ts";
import { DetectionBench, hostSample, PROTOCOLS } from "./detection-bench.ts";
import { agents } from "./gallery-agents.ts";
import { aiBehaviour } from "./gallery-ai.ts";
import { agent, callers, dnsNames as names, newcomers, wolves } from "./gallery-covert.ts";
import { crowds, mixes, segment } from "./gallery-shared.ts";
import { arpRow, contactRow, handshakeRow } from "./windows.ts";

/** Every kind of event the product can raise, each provoked at least once, over IPv4 and IPv6. */
export function gallery(): readonly Anomaly[] {
  return [
    network(),
    floods(),
    pairAttacks(),
    sweeps(),
    slowScans(),
    rogues(),
    volumes(),
    seasons(),
    environment(),
    host(),
    storm(),
    names(),
    agent(),
    callers(),
    newcomers(),
    segment(),
    crowds(),
    mixes(),
    wolves(),
    agents(),
    aiBehaviour(),
  ].flatMap(({ events }) => events);
}

function network(): DetectionBench {
  const bench = new DetectionBench({ context: { gateways: ["10.0.0.254"] } });
  bench.run(2, {
    contacts: ["198.51.100.9", "2001:db8::9", "10.0.0.5"].map((source) =>
      contactRow({ source, contacts: 500, refused: 500, ports: 500, topDestination: "10.0.0.80" }),
    ),
  });
  bench.run(2, {
    contacts: (["tcp", "udp"] as const).map((protocol, at) =>
      contactRow({
        source: `198.51.100.${20 + at}`,
        protocol,
        contacts: 250,
        refused: 250,
        destinations: 250,
        topPort: 161,
      }),
    ),
  });
  bench.run(2, {
    handshakes: ["10.0.0.80", "2001:db8::80"].map((destination) =>
      handshakeRow({ destination, syn: 5000, sources: 4000 }),
    ),
  });
  bench.run(30, {
    handshakes: [
      handshakeRow({ port: 443, syn: 60, established: 5, unanswered: 40, sources: 30 }),
      handshakeRow({ port: 25, syn: 60, refused: 60, topSource: "10.0.0.5", topSourceSyn: 60 }),
    ],
  });
  const mac = "02:00:00:00:00:66";
  bench.step({ arp: [arpRow({ address: "10.0.0.254", kind: "new" })] });
  bench.step({
    arp: [
      arpRow({ address: "10.0.0.254", mac, kind: "changed", previousMac: "02:00:00:00:00:07" }),
    ],
  });
  bench.run(5, { arp: [arpRow({ mac, gratuitous: 30, addressesOfMac: 30 })] });
  return bench;
}

function floods(): DetectionBench {
  const bench = new DetectionBench();
  const flows = { flows: 900, packets: 900, unanswered: 900 };
  bench.run(3, {
    rows: {
      targets: [
        targetRow({ ipProtocol: 17, ...flows, refused: 5 }),
        targetRow({ destination: "10.0.0.81", ipProtocol: 17, packets: 9000, unanswered: 9000 }),
        targetRow({ ipProtocol: 1, ...flows }),
        targetRow({ destination: "2001:db8::80", ipProtocol: 58, ...flows }),
        targetRow({ ipProtocol: 6, ...flows, ack: 900, topPortVotes: 900 }),
        targetRow({ destination: "10.0.0.83", ipProtocol: 47, ...flows, sources: 880 }),
        targetRow({ destination: "10.0.0.82", ipProtocol: 6, land: 5, landSamePort: 5 }),
      ],
      tcp_probes: ["198.51.100.9", "10.0.0.5"].map((source) =>
        tcpProbeRow({ source, xmas: 20, rejected: 19, ports: 40 }),
      ),
    },
  });
  return bench;
}

function pairAttacks(): DetectionBench {
  const bench = new DetectionBench();
  bench.run(5, {
    rows: {
      pairs: [
        pairRow({ port: 21, loginsFailed: 5 }),
        pairRow({ port: 80, requests: 900, unauthorized: 800 }),
        pairRow({ port: 22, brief: 3 }),
        pairRow({ port: 443, connections: 300 }),
        pairRow({ port: 8080, starved: 30 }),
      ],
    },
  });
  return bench;
}

function sweeps(): DetectionBench {
  const bench = new DetectionBench();
  bench.run(6, {
    rows: {
      icmp_talks: [
        ...Array.from({ length: 40 }, (_, host) => talkRow({ destination: `10.0.1.${host}` })),
        ...Array.from({ length: 40 }, (_, host) =>
          talkRow({ source: "2001:db8::9", destination: `2001:db8::1:${host}`, ipVersion: 6 }),
        ),
        talkRow({ requests: 20, replies: 20, payloadBytes: 40_000, longest: 1400, mismatches: 9 }),
        talkRow({ source: "10.0.0.5", lengthChanges: 30, payloadBytes: 40_000, longest: 2000 }),
      ],
      arp_askers: [arpAskerRow({ requests: 100, targets: 200, answers: 3 })],
      reflections: [
        reflectionRow({ queries: 50, queryBytes: 3500, answers: 50, answerBytes: 150_000 }),
        reflectionRow({ port: 123, answers: 200, answerBytes: 90_000, unsolicited: 200 }),
      ],
      dns_zones: [zoneRow({ queries: 300, responses: 200, nxdomain: 200, subdomains: 900 })],
    },
  });
  return bench;
}

function slowScans(): DetectionBench {
  const bench = new DetectionBench();
  for (let port = 1; port <= 15; port++) {
    bench.step({
      contacts: [
        contactRow({ contacts: 1, refused: 1, topDestination: "10.0.0.80", topPort: port }),
      ],
    });
    bench.run(299);
  }
  return bench;
}

function rogues(): DetectionBench {
  const bench = new DetectionBench();
  bench.run(5, { rows: { dhcp_servers: [dhcpServerRow({})], routers: [routerRow({})] } });
  bench.step({
    rows: {
      dhcp_servers: [dhcpServerRow({ server: "10.0.0.66", router: "10.0.0.66" })],
      routers: [
        routerRow({ router: "fe80::66", mac: "02:00:00:00:00:66", preference: 1 }),
        routerRow({ router: "fe80::2", mac: "02:00:00:00:00:02" }),
        routerRow({ mac: "02:00:00:00:00:66" }),
      ],
    },
  });
  return bench;
}

function volumes(): DetectionBench {
  const bench = new DetectionBench();
  bench.run(700, { packets: { p0: 100, p1: 100 } });
  bench.run(400, { packets: { p0: 9000, p1: 100 } });
  bench.run(400, { packets: { p0: 100, p1: 0 } });
  bench.run(1900, { packets: { p0: 9000, p1: 100 } });
  return bench;
}

/** Two days of five-minute windows, then five hours of another level. */
function seasons(): DetectionBench {
  const bench = new DetectionBench({ protocols: 1 });
  bench.run(600, { seconds: 300, packets: { p0: 30_000 } });
  bench.run(60, { seconds: 300, packets: { p0: 900_000 } });
  return bench;
}

function environment(): DetectionBench {
  const bench = new DetectionBench();
  const all = (value: number): Record<string, number> =>
    Object.fromEntries(PROTOCOLS.map((protocol) => [protocol, value]));
  bench.run(700, { packets: all(100) });
  bench.run(20, { packets: all(5000) });
  return bench;
}

function host(): DetectionBench {
  const bench = new DetectionBench();
  const nginx = { name: "nginx", cpuRatio: 0.02, memoryBytes: 1e8, processes: 3 };
  const sample = (seconds: number, busy: boolean): void => {
    for (let at = 0; at < seconds; at++) {
      const groups = [busy ? { ...nginx, cpuRatio: 0.9, memoryBytes: 6e9 } : nginx];
      const parts = busy ? { cpuRatio: 0.99, memoryUsedBytes: 7.9e9, load1: 20 } : {};
      bench.step({ host: hostSample(bench.timeMs, { ...parts, groups }) });
    }
  };
  sample(700, false);
  sample(100, true);
  return bench;
}

function storm(): DetectionBench {
  const bench = new DetectionBench();
  bench.run(3, {
    handshakes: Array.from({ length: 60 }, (_, port) =>
      handshakeRow({ port: port + 1, syn: 900, sources: 800 }),
    ),
  });
  return bench;
}
