// SPDX-License-Identifier: AGPL-3.0-or-later
// Attacks of which no single packet or pair shows anything: on a switch, a DHCP server, a TLS service, a login, the mix.
import type { TrackerRows } from "../../src/flow/window.ts";
import { pairRow } from "./attack-rows.ts";
import { DetectionBench, randomOf } from "./detection-bench.ts";

type Row<Name extends keyof TrackerRows> = TrackerRows[Name][number];

function dhcpClientRow(parts: Partial<Row<"dhcp_clients">>): Row<"dhcp_clients"> {
  return {
    ...{ vlan: -1, relay: "", mac: "", discovers: 0, requests: 0, offers: 0 },
    ...{ acknowledgments: 0, refusals: 0, clients: 1 },
    ...parts,
  };
}

function tlsClientRow(parts: Partial<Row<"tls_clients">>): Row<"tls_clients"> {
  return {
    ...{ client: "198.51.100.9", server: "10.0.0.80", port: 443, hellos: 1, answers: 1 },
    ...{ alerts: 0, fingerprints: 1, versions: ["1.3"] },
    ...parts,
  };
}

/** One second of flows: between so many sources, destinations and ports, most with the first of them (Zipf). */
export function mixRows(
  random: () => number,
  flows: number,
  spread: Partial<Record<Row<"flow_mix">["feature"], number>> = {},
): Row<"flow_mix">[] {
  const usual = { sources: 40, destinations: 80, source_ports: 512, ports: 12, ...spread };
  return Object.entries(usual).map(([feature, values]) => {
    const buckets = new Uint32Array(512);
    for (let flow = 0; flow < flows; flow++) {
      const isEven = values >= 256;
      const at = isEven ? random() * values : values ** random() - 1;
      const bucket = Math.floor(at);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    const topFlows = buckets[0] ?? 0;
    return { feature: feature as Row<"flow_mix">["feature"], flows, buckets, top: "80", topFlows };
  });
}

/** Ten minutes of an office, then a flood, a scan and a sweep. */
export function mixes(): DetectionBench {
  const bench = new DetectionBench();
  const random = randomOf(7);
  bench.run(700, () => ({ rows: { flow_mix: mixRows(random, 40) } }));
  const flood = { sources: 512, destinations: 1 };
  bench.run(40, () => ({ rows: { flow_mix: mixRows(random, 400, flood) } }));
  return bench;
}

export function segment(): DetectionBench {
  const bench = new DetectionBench();
  const macs = (fresh: number): { rows: Partial<TrackerRows> } => ({
    rows: { source_macs: [{ fresh, frames: 30 + fresh, lastMac: "02:00:00:00:00:99" }] },
  });
  bench.run(20, macs(0));
  bench.run(4, macs(900));
  bench.run(5, {
    rows: {
      dhcp_clients: [
        dhcpClientRow({ discovers: 200, clients: 300 }),
        dhcpClientRow({ mac: "02:00:00:00:00:66", requests: 40, clients: 90 }),
        dhcpClientRow({ relay: "10.0.9.1", requests: 40, discovers: 40, clients: 700 }),
      ],
      tls_clients: [
        tlsClientRow({ hellos: 30, fingerprints: 20, versions: ["ssl3", "1.0", "1.2"] }),
        tlsClientRow({ server: "2001:db8::80", alerts: 30, hellos: 30, fingerprints: 20 }),
      ],
    },
  });
  return bench;
}

export function crowds(): DetectionBench {
  const bench = new DetectionBench();
  bench.run(3, {
    rows: {
      pairs: [
        ...Array.from({ length: 30 }, (_, host) =>
          pairRow({ client: `198.51.100.${host + 1}`, port: 22, connections: 1, brief: 1 }),
        ),
        pairRow({ port: 8080, stalled: 30 }),
      ],
    },
  });
  return bench;
}
