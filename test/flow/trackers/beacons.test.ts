// SPDX-License-Identifier: AGPL-3.0-or-later
import { expect, it } from "vitest";
import { FlowHarness } from "../../support/flow-harness.ts";
import { SYN, v4, v6 } from "../../support/packets.ts";

it("keeps when connections to a service began, those that begin together as one", () => {
  const harness = new FlowHarness();
  for (let at = 0; at < 5; at++) {
    harness.tcp(v4("10.0.0.1", 40_000 + at), v4("198.51.100.7", 443), SYN);
    harness.tcp(v4("10.0.0.1", 50_000 + at), v4("198.51.100.7", 443), SYN);
    harness.wait(4000 + at);
  }
  expect(harness.close().beacons).toEqual([
    {
      ...{ client: "10.0.0.1", server: "198.51.100.7", port: 443, protocol: "tcp" },
      ...{ connections: 5, intervalsMs: [4000, 4001, 4002, 4003] },
    },
  ]);
  expect(harness.close(1000).beacons).toEqual([]);
});

it("keeps the last 32 intervals, and pairs apart", () => {
  const harness = new FlowHarness();
  for (let at = 0; at < 100; at++) {
    harness.udp(v6(1, 1000 + at), v6(2, 7777));
    harness.udp(v6(1, 1000 + at), v6(3, 7777));
    harness.wait(2000);
  }
  const rows = harness.close().beacons;
  expect(rows.map(({ server }) => server).sort()).toEqual(["2001:db8::2", "2001:db8::3"]);
  expect(rows[0]?.intervalsMs).toEqual(new Array(32).fill(2000));
});
