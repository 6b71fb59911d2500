// SPDX-License-Identifier: AGPL-3.0-or-later
import { expect, test } from "vitest";
import { parseRoutes } from "../../src/host/gateways.ts";

const HEADER =
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";

test("reads each gateway once and leaves out routes without one", () => {
  const rows = [
    "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
    "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    "eth1\t0000000A\tFE01A8C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0",
    "eth1\t0000010A\t0101A8C0\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0",
  ];
  expect(parseRoutes(`${[HEADER, ...rows].join("\n")}\n`)).toEqual([
    "192.168.1.1",
    "192.168.1.254",
  ]);
});

test("nothing readable means no gateway", () => {
  expect(parseRoutes("")).toEqual([]);
  expect(parseRoutes(HEADER)).toEqual([]);
  expect(parseRoutes(`${HEADER}\nbroken line\n`)).toEqual([]);
});
