// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { captureSettings, liveSources } from "../../src/capture/all.ts";
import {
  defaultInterface,
  defaultRoute4,
  defaultRoute6,
  listInterfaces,
} from "../../src/capture/interfaces.ts";
import { linkTypeName } from "../../src/capture/link-types.ts";

const table = (text: string): readonly (readonly string[])[] =>
  text
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/));

describe("default route", () => {
  it("is the one of lowest metric in /proc/net/route", () => {
    const rows = `
      Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
      wlan0 00000000 0101A8C0 0003 0 0 600 00000000 0 0 0
      eth0 00000000 0100A8C0 0003 0 0 100 00000000 0 0 0
      eth1 0000A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0
      dead0 00000000 00000000 0200 0 0 1 00000000 0 0 0`;
    expect(defaultRoute4(table(rows))).toBe("eth0");
    expect(defaultRoute4(table(rows.replace(/.* 00000000 .*/g, "")))).toBeNull();
    expect(defaultRoute4([])).toBeNull();
  });

  it("is the one of lowest metric in /proc/net/ipv6_route, rejecting ones left out", () => {
    const zero = "0".repeat(32);
    const gateway = "fe800000000000000000000000000001";
    const rows = `
      ${zero} 00 ${zero} 00 ${gateway} 00000400 00000001 00000000 00000003 eth1
      ${zero} 00 ${zero} 00 ${gateway} 00000064 00000001 00000000 00000003 eth0
      fd000000000000000000000000000000 40 ${zero} 00 ${zero} 00000001 00000001 00000000 00000001 eth2
      ${zero} 00 ${zero} 00 ${zero} 00000000 00000001 00000000 00200201 lo`;
    expect(defaultRoute6(table(rows))).toBe("eth0");
    expect(defaultRoute6(table(rows.split("\n").slice(3).join("\n")))).toBeNull();
  });
});

describe("interfaces of this machine", () => {
  it("are listed with every source, and one of them is the default", async () => {
    const interfaces = await listInterfaces();
    expect(interfaces.length).toBeGreaterThan(0);
    expect(interfaces.filter(({ isDefault }) => isDefault).map(({ name }) => name)).toEqual([
      defaultInterface(),
    ]);
    for (const { name, sources } of interfaces) {
      expect(name).not.toBe("");
      expect(sources.map(({ source }) => source)).toEqual(liveSources.map((source) => source.name));
    }
  });
});

describe("linkTypeName", () => {
  it("is the name without its prefix, or the number", () => {
    expect([1, 113, 276, 4711].map(linkTypeName)).toEqual([
      "ETHERNET",
      "LINUX_SLL",
      "LINUX_SLL2",
      "LINKTYPE_4711",
    ]);
  });
});

describe("captureSettings", () => {
  it("has defaults for everything and refuses what it does not know", () => {
    expect(captureSettings.parse(undefined)).toEqual({
      interfaces: [],
      source: "auto",
      filter: "",
      snaplen: 2048,
      promiscuous: false,
      ring_mib: 32,
      user: "nobody",
    });
    expect(captureSettings.safeParse({ snaplen: 63 }).success).toBe(false);
    expect(captureSettings.safeParse({ ring: 3 }).success).toBe(false);
  });
});
