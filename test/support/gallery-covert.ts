// SPDX-License-Identifier: AGPL-3.0-or-later
// Events of detectors of what hides in ordinary traffic.
import type { TrackerRows } from "../../src/flow/window.ts";
import { DetectionBench, randomOf } from "./detection-bench.ts";
import { arpRow, contactRow, dnsDomainRow, dnsHostRow, handshakeRow } from "./windows.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Random letters. */
export function randomLabel(random: () => number, length: number): string {
  return Array.from({ length }, () => LETTERS[Math.floor(random() * 26)]).join("");
}

/** DNS that carries data, looks for names, or is of one kind. */
export function dnsNames(): DetectionBench {
  const bench = new DetectionBench();
  const random = randomOf(3);
  bench.run(30, (at) => ({
    rows: {
      dns_domains: ["10.0.0.5", "2001:db8::5"].map((client, host) =>
        dnsDomainRow({
          ...{ client, domain: "evil.test", queries: 20, subdomains: 20 * (at + 1) },
          ...{ subdomainChars: 900 * (host + 1), entropyBits: 80, queryBytes: 1500, nxdomain: 20 },
        }),
      ),
    },
  }));
  bench.run(20, () => ({
    rows: {
      dns_domains: [
        dnsDomainRow({ domain: `${randomLabel(random, 14)}.com`, queries: 1, nxdomain: 1 }),
      ],
      dns_hosts: [dnsHostRow({ responses: 10, nxdomain: 9, queries: 10, txtQueries: 9 })],
    },
  }));
  return bench;
}

/** Trouble of the agent and of its links, and one host in several ways. */
export function agent(): DetectionBench {
  const bench = new DetectionBench();
  const dropped = { kernel: 100, ring: 0, shed: 0, ipc: 0 };
  bench.run(20, { capture: { dropped, lagSeconds: 9 } });
  bench.run(20, { capture: null });
  bench.run(700);
  bench.run(40, { capture: { received: 0, processed: 0, bytes: 0 } });
  bench.run(3, {
    contacts: [
      contactRow({ contacts: 500, refused: 500, ports: 500, topDestination: "10.0.0.80" }),
    ],
    rows: {
      dns_domains: [
        dnsDomainRow({
          ...{ client: "192.0.2.1", domain: "evil.test", queries: 200, subdomains: 200 },
          ...{ subdomainChars: 9000, entropyBits: 800 },
        }),
      ],
    },
  });
  return bench;
}

/** Twenty scans of twenty sources, and a quarter of an hour after them. */
export function wolves(): DetectionBench {
  const bench = new DetectionBench({ settings: { over_budget: { hours: 0.2 } } });
  const source = (at: number): string => `198.51.100.${at}`;
  bench.run(20, (at) => ({
    contacts: [contactRow({ source: source(at), contacts: 500, refused: 500, ports: 500 })],
  }));
  bench.run(15, { seconds: 60 });
  return bench;
}

/** A beacon's row: `connections` every `periodMs`, with a jitter as a share of it. */
export function beaconRow(
  parts: Partial<TrackerRows["beacons"][number]> & { connections: number },
  periodMs: number,
  jitter: number,
  random: () => number,
): TrackerRows["beacons"][number] {
  const interval = (): number => Math.round(periodMs * (1 + jitter * (2 * random() - 1)));
  return {
    ...{ client: "10.0.0.5", server: "198.51.100.7", port: 443, protocol: "tcp" },
    intervalsMs: Array.from({ length: Math.min(32, parts.connections - 1) }, interval),
    ...parts,
  };
}

/** Programs that call home. */
export function callers(): DetectionBench {
  const bench = new DetectionBench();
  const random = randomOf(6);
  const row = beaconRow({ connections: 20 }, 60_000, 0.1, random);
  bench.step({
    rows: {
      volumes: [volumeRow({ upBytes: 2e8, downBytes: 1e6 })],
      applications: ["ssh", "http", "smb", "ldap"].map((application) =>
        applicationRow({ application, port: 443 }),
      ),
    },
  });
  bench.step({
    rows: { beacons: [row, { ...row, client: "2001:db8::5", server: "2001:db8::7" }] },
  });
  return bench;
}

/** What one client sent to one server outside. */
export function volumeRow(
  parts: Partial<TrackerRows["volumes"][number]>,
): TrackerRows["volumes"][number] {
  return {
    ...{ client: "10.0.0.5", server: "198.51.100.7", port: 443, upBytes: 0, downBytes: 0 },
    ...parts,
  };
}

/** One flow of a service, and what it speaks. */
export function applicationRow(
  parts: Partial<TrackerRows["applications"][number]>,
): TrackerRows["applications"][number] {
  return {
    ...{ server: "198.51.100.7", port: 443, protocol: "tcp", application: "tls", flows: 1 },
    topClient: "10.0.0.5",
    ...parts,
  };
}

/** One answered connection of a host with an AI provider. */
export function aiFlowRow(
  parts: Partial<TrackerRows["ai_flows"][number]>,
): TrackerRows["ai_flows"][number] {
  return {
    ...{ client: "10.0.0.5", provider: "openai", category: "llm_api", family: "python" },
    ...{ flows: 1, completed: 1, upBytes: 2000, downBytes: 9000, browses: false },
    ...{ contradicted: 0, claimed: "" },
    ...parts,
  };
}

/** What was never there before. */
export function newcomers(): DetectionBench {
  const learn = { learn_seconds: 10 };
  const settings = {
    ...{ new_host: learn, new_service: learn, rare_combo: learn, rare_tls: learn },
    ...{ ai_new_provider: learn, ai_fingerprint: learn },
  };
  const bench = new DetectionBench({ settings });
  bench.run(11);
  bench.step({
    arp: [arpRow({})],
    handshakes: [handshakeRow({ established: 1, syn: 1, topSource: "10.0.0.9" })],
    rows: {
      applications: [applicationRow({})],
      ai_flows: [aiFlowRow({ completed: 3, family: "chromium" })],
    },
    tallies: { "tls.ja4": [["t13d1516h2_8daaf6152771_e5627efa2ab1", 1]] },
  });
  return bench;
}
