// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { dnsZones } from "../../../src/flow/trackers/dns-zones.ts";
import type { TrackerRows } from "../../../src/flow/window.ts";
import { dnsPacket } from "../../support/dns-packets.ts";
import { FlowHarness } from "../../support/flow-harness.ts";
import { v4 } from "../../support/packets.ts";

const RESOLVER = v4("10.0.0.53", 53);

type Row = TrackerRows["dns_zones"][number];

describe("dns zones", () => {
  it("see a random-subdomain flood over all its clients", () => {
    const harness = new FlowHarness();
    for (let i = 0; i < 200; i++) {
      const client = v4(`10.1.${i % 50}.9`, 5000);
      const name = `r${i * 7919}.victim.com`;
      harness.put(dnsPacket(client, RESOLVER, { name, id: i }));
      harness.put(dnsPacket(RESOLVER, client, { name, id: i, rcode: i % 4 === 0 ? 2 : 3 }));
    }
    harness.put(dnsPacket(v4("10.1.0.9", 5000), RESOLVER, { name: "www.example.com" }));
    const [row, other] = harness.close(1).dns_zones;
    expect(row).toMatchObject({
      ...{ domain: "victim.com", queries: 200, responses: 200, nxdomain: 150, servfail: 50 },
      ...{ topServer: "10.0.0.53", topServerQueries: 200 },
    });
    expect(Math.abs((row?.subdomains ?? 0) - 200)).toBeLessThan(60);
    expect(Math.abs((row?.clients ?? 0) - 50)).toBeLessThan(15);
    expect(other).toMatchObject({ domain: "example.com", queries: 1, subdomains: 1, clients: 1 });
  });

  it("merge rows of one domain", () => {
    const harness = new FlowHarness();
    const ask = (server: string, times: number): Row => {
      for (let i = 0; i < times; i++) {
        harness.put(dnsPacket(v4("10.0.0.1", 5000), v4(server, 53), { id: i }));
      }
      return harness.close(1).dns_zones[0] as Row;
    };
    const [first, second] = [ask("10.0.0.53", 2), ask("10.0.0.54", 3)];
    expect(dnsZones.rows.merge(first, second)).toMatchObject({
      ...{ domain: "example.com", queries: 5, topServer: "10.0.0.54", topServerQueries: 3 },
    });
  });
});
