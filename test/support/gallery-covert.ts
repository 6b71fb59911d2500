// SPDX-License-Identifier: AGPL-3.0-or-later
// Events of detectors of what hides in ordinary traffic.
import { DetectionBench, randomOf } from "./detection-bench.ts";
import { dnsDomainRow, dnsHostRow } from "./windows.ts";

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
