// SPDX-License-Identifier: AGPL-3.0-or-later
import { beforeEach, describe, expect, it } from "vitest";
import { seededRandom } from "../../../scripts/fixtures/bytes.ts";
import { dnsDomains } from "../../../src/flow/trackers/dns-domains.ts";
import type { TrackerRows } from "../../../src/flow/window.ts";
import { dnsPacket } from "../../support/dns-packets.ts";
import { FlowHarness } from "../../support/flow-harness.ts";
import { v4 } from "../../support/packets.ts";

const CLIENT = v4("10.0.0.1", 40_000);
const SERVER = v4("10.0.0.53", 53);

type Row = TrackerRows["dns_domains"][number];

let harness: FlowHarness;

beforeEach(() => {
  harness = new FlowHarness();
});

function ask(name: string, type = 1, client = CLIENT): void {
  harness.put(dnsPacket(client, SERVER, { name, type }));
}

function answer(name: string, rcode: number, bytes = 0): void {
  harness.put(dnsPacket(SERVER, CLIENT, { name, rcode, bytes }));
}

function only(): Row {
  const rows = harness.close(1).dns_domains;
  expect(rows).toHaveLength(1);
  return rows[0] as Row;
}

describe("dns domains", () => {
  it("put names below one registrable domain together", () => {
    for (const name of ["www.example.co.uk", "a.b.example.co.uk", "example.co.uk"]) ask(name);
    expect(only()).toMatchObject({
      ...{ client: "10.0.0.1", domain: "example.co.uk", queries: 3, subdomains: 2 },
      ...{ subdomainChars: 5, longestSubdomain: 3, carrierQueries: 0, queryBytes: 35 + 35 + 31 },
    });
  });

  it("show the most bytes of distinct names below one domain, for a minute", () => {
    const most = (seconds: number): number => {
      harness.close(1000 * seconds);
      return harness.gauge("nam_dns_unique_label_bytes_max");
    };
    for (const name of ["aaaa", "bbbb", "cccc", "cccc"]) ask(`${name}.example.com`);
    ask("www.example.org");
    expect(most(1)).toBe(12);
    ask("www.example.org");
    expect(most(30)).toBe(12);
    expect(most(62)).toBe(0);
  });

  it("keep clients and domains apart", () => {
    ask("www.example.com");
    ask("www.example.org");
    ask("www.example.com", 1, v4("10.0.0.2", 40_000));
    const rows = harness.close(1).dns_domains.map(({ client, domain }) => `${client} ${domain}`);
    expect(rows.sort()).toEqual([
      "10.0.0.1 example.com",
      "10.0.0.1 example.org",
      "10.0.0.2 example.com",
    ]);
  });

  it("measure a tunnel", () => {
    const random = seededRandom(1);
    const hex = (length: number) => Array.from({ length }, () => random(16).toString(16)).join("");
    for (let i = 0; i < 300; i++) {
      const name = `${hex(60)}.${hex(60)}.t.tunnel.example.com`;
      ask(name, [16, 10, 5, 15, 65_399][i % 5]);
      answer(name, 0, 900);
    }
    const row = only();
    expect(row).toMatchObject({ domain: "example.com", queries: 300, carrierQueries: 300 });
    expect(row).toMatchObject({ responses: 300, responseBytes: 270_000, largestResponse: 900 });
    expect(row.subdomainChars / row.queries).toBe(60 + 60 + 1 + 6);
    expect(row.longestSubdomain).toBe(127);
    expect(row.entropyBits / row.queries).toBeGreaterThan(3.8);
    expect(row.entropyBits / row.queries).toBeLessThan(4.3);
    expect(Math.abs(row.subdomains - 300)).toBeLessThan(90);
  });

  it.each([
    ["aaaa.example.com", 0],
    ["ab.ab.example.com", 1],
    ["abcd.example.com", 2],
    [`${"\u0003".repeat(3)}.example.com`, 0],
  ])("compute the entropy of %j", (name, bits) => {
    ask(name);
    expect(only().entropyBits).toBeCloseTo(bits, 3);
  });

  it("count names that do not exist", () => {
    ask("kq3v9.com");
    answer("kq3v9.com", 3);
    expect(only()).toMatchObject({ domain: "kq3v9.com", nxdomain: 1, subdomains: 0 });
  });

  it.each([
    ["wpad", "wpad"],
    ["co.uk", "co.uk"],
    ["4.3.2.1.in-addr.arpa", "1.in-addr.arpa"],
    ["_ldap._tcp.dc.corp.example", "corp.example"],
    ["d1.cloudfront.net", "d1.cloudfront.net"],
    ["a.d1.cloudfront.net", "d1.cloudfront.net"],
  ])("name the domain of %s %s", (name, domain) => {
    ask(name);
    expect(only().domain).toBe(domain);
  });

  it("forget subdomains after ten minutes, and remember the first time", () => {
    ask("a.example.com");
    const { firstMs } = only();
    for (let minute = 0; minute < 11; minute++) {
      harness.wait(60_000);
      ask("b.example.com");
      harness.close();
    }
    ask("b.example.com");
    expect(only()).toMatchObject({ subdomains: 1, firstMs });
  });

  it("merge by adding counts and keeping estimates", () => {
    ask("abcd.example.com");
    const first = only();
    ask("ab.example.com");
    const second = only();
    expect(dnsDomains.rows.merge(first, second)).toMatchObject({
      ...{ queries: 2, subdomainChars: 6, entropyBits: 3, longestSubdomain: 4, subdomains: 2 },
      ...{ firstMs: first.firstMs, lastMs: second.lastMs },
    });
  });
});
