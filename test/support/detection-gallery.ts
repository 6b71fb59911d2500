// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "../../src/detect/detector.ts";
import { DetectionBench, hostSample, PROTOCOLS } from "./detection-bench.ts";
import { arpRow, contactRow, handshakeRow } from "./windows.ts";

/** Every kind of event the product can raise, each provoked at least once, over IPv4 and IPv6. */
export function gallery(): readonly Anomaly[] {
  return [network(), volumes(), seasons(), environment(), host(), storm()].flatMap(
    ({ events }) => events,
  );
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
  const bench = new DetectionBench();
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
