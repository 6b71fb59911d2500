// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import type { ArpRow } from "../../../src/flow/trackers/arp.ts";
import { arpPacket, REPLY, REQUEST } from "../../support/arp-packets.ts";
import { FlowHarness } from "../../support/flow-harness.ts";

const GATEWAY = "192.168.1.1";
const HOST = "192.168.1.7";
const OWNER = "00:11:22:33:44:55";
const FORGER = "66:77:88:99:aa:bb";
const CLIENT = "02:00:00:00:00:07";
const MINUTE = 60_000;

function reply(harness: FlowHarness, senderMac: string, senderIp = GATEWAY, targetIp = HOST): void {
  harness.put(arpPacket({ operation: REPLY, senderMac, senderIp, targetIp }));
}

function request(
  harness: FlowHarness,
  senderMac: string,
  senderIp: string,
  targetIp: string,
): void {
  harness.put(arpPacket({ operation: REQUEST, senderMac, senderIp, targetIp }));
}

function only(rows: readonly ArpRow[]): ArpRow {
  expect(rows).toHaveLength(1);
  return rows[0] as ArpRow;
}

describe("arp", () => {
  it("reports a new binding, then that it was seen", () => {
    const harness = new FlowHarness();
    request(harness, OWNER, GATEWAY, HOST);
    expect(only(harness.close(1000).arp)).toEqual({
      ...{ address: GATEWAY, mac: OWNER, kind: "new", replies: 0, gratuitous: 0 },
      ...{ previousMac: "", previousAgeMs: 0, previousSightings: 0, addressesOfMac: 1 },
      ...{ sightings: 1, unsolicited: 0, previousUnsolicited: 0 },
    });
    reply(harness, OWNER);
    reply(harness, OWNER);
    expect(only(harness.close(1000).arp)).toMatchObject({
      kind: "seen",
      replies: 2,
      previousMac: "",
    });
    expect(harness.close(1000).arp).toEqual([]);
  });

  it("reports a change with the age and the sightings of what was there before", () => {
    const harness = new FlowHarness();
    for (let i = 0; i < 20; i++) {
      reply(harness, OWNER);
      harness.close(MINUTE);
    }
    reply(harness, FORGER);
    expect(only(harness.close(1000).arp)).toMatchObject({
      ...{ kind: "changed", mac: FORGER, previousMac: OWNER },
      ...{ previousAgeMs: 20 * MINUTE, previousSightings: 20 },
    });
  });

  it("names the forger where the owner took the address back within the window", () => {
    const harness = new FlowHarness();
    for (let i = 0; i < 20; i++) {
      reply(harness, OWNER);
      harness.close(MINUTE);
    }
    reply(harness, FORGER);
    reply(harness, OWNER);
    expect(only(harness.close(1000).arp)).toMatchObject({
      ...{ kind: "changed", mac: FORGER, previousMac: OWNER },
    });
  });

  it("knows the owner again who takes the address back from a forger, window after window", () => {
    const harness = new FlowHarness();
    for (let i = 0; i < 20; i++) {
      reply(harness, OWNER);
      harness.close(MINUTE);
    }
    for (let i = 0; i < 5; i++) {
      reply(harness, FORGER);
      reply(harness, OWNER);
      reply(harness, FORGER);
      const row = only(harness.close(1000).arp);
      expect(row).toMatchObject({ kind: "changed", mac: FORGER, previousMac: OWNER });
      expect(row.previousAgeMs).toBeGreaterThanOrEqual(20 * MINUTE);
      expect(row.previousSightings).toBeGreaterThanOrEqual(20);
    }
  });

  it("remembers the owner through a forger who changes his MAC all the time", () => {
    const harness = new FlowHarness();
    for (let i = 0; i < 10; i++) reply(harness, OWNER);
    harness.close(20 * MINUTE);
    for (let i = 10; i < 40; i++) reply(harness, `66:00:00:00:00:${i}`);
    harness.close(1000);
    reply(harness, OWNER);
    reply(harness, FORGER);
    expect(only(harness.close(1000).arp)).toMatchObject({
      ...{ kind: "changed", previousMac: OWNER, previousSightings: 11 },
    });
  });

  it("counts the replies that nobody asked for, of both claimants", () => {
    const harness = new FlowHarness();
    const asked = { operation: REQUEST, senderMac: CLIENT, senderIp: HOST, targetIp: GATEWAY };
    const told = { operation: REPLY, senderIp: GATEWAY, targetIp: HOST, targetMac: CLIENT };
    for (let i = 0; i < 3; i++) {
      harness.put(arpPacket(asked));
      harness.wait(1900);
      harness.put(arpPacket({ ...told, senderMac: OWNER }));
      harness.wait(200);
      harness.put(arpPacket({ ...told, senderMac: FORGER }));
    }
    const rows = harness.close(1000).arp.filter(({ address }) => address === GATEWAY);
    expect(only(rows)).toMatchObject({
      ...{ mac: FORGER, sightings: 3, unsolicited: 3 },
      ...{ previousMac: OWNER, previousUnsolicited: 0 },
    });
  });

  it("takes for unsolicited what answers another asker, and no announcement", () => {
    const harness = new FlowHarness();
    request(harness, OWNER, HOST, GATEWAY);
    const told = { operation: REPLY, senderMac: FORGER, senderIp: GATEWAY, targetIp: HOST };
    harness.put(arpPacket({ ...told, targetMac: CLIENT }));
    harness.put(arpPacket({ ...told, targetMac: OWNER }));
    harness.put(arpPacket({ ...told, targetIp: GATEWAY }));
    const rows = harness.close(1000).arp.filter(({ address }) => address === GATEWAY);
    expect(only(rows)).toMatchObject({ sightings: 3, unsolicited: 1 });
  });

  it("counts announcements, in requests and in replies", () => {
    const harness = new FlowHarness();
    request(harness, OWNER, GATEWAY, GATEWAY);
    reply(harness, OWNER, GATEWAY, GATEWAY);
    expect(only(harness.close(1000).arp)).toMatchObject({ gratuitous: 2, replies: 1 });
  });

  it.each([
    ["a probe", { senderIp: "0.0.0.0" }],
    ["a sender without a MAC", { senderMac: "00:00:00:00:00:00" }],
    ["a group address as sender", { senderMac: "01:00:5e:00:00:01" }],
    ["the broadcast address as sender", { senderMac: "ff:ff:ff:ff:ff:ff" }],
  ])("binds nothing to %s", (_, fields) => {
    const harness = new FlowHarness();
    const packet = { operation: REQUEST, senderMac: OWNER, senderIp: GATEWAY, targetIp: HOST };
    harness.put(arpPacket({ ...packet, ...fields }));
    expect(harness.close(1000).arp).toEqual([]);
  });

  it.each([
    ["another hardware type", 0, 6],
    ["another protocol", 2, 0x86dd],
    ["other lengths", 4, 0x0804],
  ])("leaves alone ARP for %s", (_, offset, value) => {
    const harness = new FlowHarness();
    const packet = arpPacket({
      operation: REPLY,
      senderMac: OWNER,
      senderIp: GATEWAY,
      targetIp: HOST,
    });
    packet.view.setUint16(packet.networkAt + offset, value);
    harness.put(packet);
    expect(harness.close(1000).arp).toEqual([]);
  });

  it("leaves alone what was cut or not decoded", () => {
    const harness = new FlowHarness();
    const fields = { operation: REPLY, senderMac: OWNER, senderIp: GATEWAY, targetIp: HOST };
    harness.put(Object.assign(arpPacket(fields), { end: 41 }));
    harness.put(Object.assign(arpPacket(fields), { networkAt: -1 }));
    expect(harness.close(1000).arp).toEqual([]);
    harness.put(Object.assign(arpPacket(fields), { end: 42 }));
    expect(harness.close(1000).arp).toHaveLength(1);
  });

  it("counts the addresses one MAC claims in five minutes", () => {
    const harness = new FlowHarness();
    for (let host = 1; host <= 12; host++) {
      reply(harness, FORGER, `192.168.1.${host}`);
      reply(harness, FORGER, `192.168.1.${host}`);
      harness.wait(10_000);
    }
    const rows = harness.close(0).arp;
    expect(Math.max(...rows.map(({ addressesOfMac }) => addressesOfMac))).toBe(12);
    harness.close(4 * MINUTE);
    reply(harness, FORGER, "192.168.1.200");
    const [row] = harness.close(0).arp;
    expect(row?.addressesOfMac).toBeLessThan(12);
    expect(row?.addressesOfMac).toBeGreaterThan(1);
    harness.close(6 * MINUTE);
    reply(harness, FORGER, "192.168.1.201");
    expect(harness.close(0).arp[0]?.addressesOfMac).toBe(1);
    for (let host = 1; host <= 100; host++) reply(harness, FORGER, `192.168.2.${host}`);
    expect(Math.max(...harness.close(0).arp.map(({ addressesOfMac }) => addressesOfMac))).toBe(32);
  });

  it("keeps a change in sight of a flood of claims, and its own memory of stable bindings", () => {
    const harness = new FlowHarness();
    for (let i = 0; i < 20; i++) {
      reply(harness, OWNER);
      harness.close(MINUTE);
    }
    for (let i = 0; i < 50_000; i++) {
      reply(harness, FORGER, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
      if (i === 40_000) reply(harness, FORGER);
    }
    const rows = harness.close(1000).arp;
    expect(rows.length).toBeLessThanOrEqual(128);
    expect(rows[0]).toMatchObject({ address: GATEWAY, kind: "changed", previousMac: OWNER });
  });
});
