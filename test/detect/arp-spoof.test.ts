// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { arpSpoof } from "../../src/detect/arp-spoof.ts";
import type { Anomaly } from "../../src/detect/detector.ts";
import { DetectionBench } from "../support/detection-bench.ts";
import { type ArpRow, arpRow } from "../support/windows.ts";

const HOST = "10.0.0.7";
const GATEWAY = "10.0.0.254";
const OWNER = "02:00:00:00:00:07";
const INTRUDER = "02:00:00:00:00:66";

function bench(gateways: readonly string[] = []): DetectionBench {
  return new DetectionBench({ detectors: [arpSpoof], context: { gateways } });
}

/** The owner of an address is heard every 30 s for as long as told. */
function settled(spoof: DetectionBench, address: string, seconds: number): void {
  spoof.step({ arp: [arpRow({ address, mac: OWNER, kind: "new" })] });
  spoof.run(seconds, (at) => ({ arp: at % 30 === 29 ? [arpRow({ address, mac: OWNER })] : [] }));
}

function taken(address: string, parts: Partial<ArpRow> = {}): ArpRow {
  return arpRow({
    address,
    mac: INTRUDER,
    kind: "changed",
    previousMac: OWNER,
    previousAgeMs: 900_000,
    previousSightings: 30,
    ...parts,
  });
}

function severities(events: readonly Anomaly[]): string[] {
  return events.map(({ severity, state }) => `${severity} ${state}`);
}

describe("ARP spoofing", () => {
  it("finds that a stable binding changed while its holder was still there", () => {
    const spoof = bench();
    settled(spoof, HOST, 900);
    const [event] = spoof.step({ arp: [taken(HOST)] });
    expect(event).toMatchObject({
      detector: "arp_spoof",
      class: "spoofing",
      severity: "warning",
      entity: { kind: "binding", key: HOST, mac: INTRUDER },
      threshold: { value: 600, setting: "detectors.arp_spoof.stable_seconds" },
    });
    expect(event?.explanation).toContain(`${INTRUDER} answers for ${HOST}, whose MAC is ${OWNER}`);
    expect(event?.evidence[1]).toContain("15 min");
  });

  it("is critical for a router, known or of the usual address", () => {
    for (const spoof of [bench(), bench([GATEWAY])]) {
      settled(spoof, GATEWAY, 900);
      expect(severities(spoof.step({ arp: [taken(GATEWAY)] }))).toEqual(["critical open"]);
    }
  });

  it("finds a known router's first change on a fresh agent", () => {
    const spoof = bench([GATEWAY]);
    spoof.step({ arp: [arpRow({ address: GATEWAY, mac: OWNER, kind: "new" })] });
    const change = taken(GATEWAY, { previousAgeMs: 5000, previousSightings: 1 });
    expect(severities(spoof.step({ arp: [change] }))).toEqual(["critical open"]);
  });

  it("takes the newcomer for the intruder, however often the owner answers", () => {
    const spoof = bench();
    const brief = { previousAgeMs: 90_000, previousSightings: 1 };
    for (let second = 0; second < 120; second++) {
      spoof.step({
        arp: [
          arpRow({ address: GATEWAY, mac: OWNER, kind: second === 0 ? "new" : "seen", replies: 9 }),
        ],
      });
    }
    spoof.step({ arp: [taken(GATEWAY, { ...brief, replies: 1 })] });
    spoof.step({
      arp: [taken(GATEWAY, { mac: OWNER, previousMac: INTRUDER, replies: 9, ...brief })],
    });
    spoof.step({ arp: [taken(GATEWAY, { ...brief, replies: 1 })] });
    expect(spoof.events).toHaveLength(1);
    expect(spoof.events[0]).toMatchObject({ entity: { key: GATEWAY, mac: INTRUDER } });
  });

  it("finds on a fresh agent that two take an address from each other, and who insists", () => {
    const spoof = bench();
    const brief = { previousAgeMs: 900, previousSightings: 1 };
    spoof.step({ arp: [arpRow({ address: GATEWAY, mac: INTRUDER, kind: "new" })] });
    spoof.step({
      arp: [taken(GATEWAY, { mac: OWNER, previousMac: INTRUDER, replies: 0, ...brief })],
    });
    expect(spoof.events).toEqual([]);
    const [event] = spoof.step({ arp: [taken(GATEWAY, brief)] });
    expect(event).toMatchObject({ severity: "critical", entity: { key: GATEWAY, mac: INTRUDER } });
  });

  it("blames who answers unasked, though it was heard first and for long, of a known router too", () => {
    for (const spoof of [bench(), bench([GATEWAY])]) {
      const forged = { address: GATEWAY, mac: INTRUDER, sightings: 700, unsolicited: 600 };
      spoof.step({ arp: [arpRow({ ...forged, kind: "new" })] });
      spoof.run(700, (at) => ({ arp: at % 30 === 29 ? [arpRow(forged)] : [] }));
      const previous = { previousMac: INTRUDER, previousSightings: 700, previousUnsolicited: 600 };
      spoof.step({ arp: [taken(GATEWAY, { mac: OWNER, sightings: 1, ...previous })] });
      spoof.step({ arp: [taken(GATEWAY, { ...forged, previousSightings: 1 })] });
      expect(spoof.events).toMatchObject([
        { severity: "critical", state: "open", entity: { key: GATEWAY, mac: INTRUDER } },
      ]);
    }
  });

  it("goes on while the intruder insists, and is resolved soon after it stopped", () => {
    const spoof = bench();
    settled(spoof, HOST, 900);
    spoof.step({ arp: [taken(HOST)] });
    spoof.run(200, (at) => ({
      arp: at % 2 === 1 ? [arpRow({ address: HOST, mac: INTRUDER })] : [],
    }));
    expect(severities(spoof.events)).toEqual(["warning open"]);
    const back = taken(HOST, { mac: OWNER, previousMac: INTRUDER, previousAgeMs: 200_000 });
    spoof.step({ arp: [back] });
    const changes = spoof.run(90, (at) => ({
      arp: at % 30 === 0 ? [arpRow({ address: HOST, mac: OWNER })] : [],
    }));
    expect(severities(changes)).toEqual(["warning resolved"]);
  });

  it("accepts a newcomer whose predecessor was silent: DHCP gave the address to another machine", () => {
    const dhcp = bench();
    settled(dhcp, HOST, 900);
    dhcp.run(400);
    dhcp.step({ arp: [taken(HOST)] });
    dhcp.run(1200, (at) => ({ arp: at % 30 === 0 ? [arpRow({ mac: INTRUDER })] : [] }));
    expect(dhcp.events).toEqual([]);
  });

  it("accepts a router that was replaced once the old one has been gone for 10 minutes", () => {
    const replaced = bench([GATEWAY]);
    settled(replaced, GATEWAY, 900);
    replaced.step({ arp: [taken(GATEWAY)] });
    replaced.run(900, (at) => ({
      arp: at % 10 === 0 ? [arpRow({ address: GATEWAY, mac: INTRUDER })] : [],
    }));
    expect(severities(replaced.events).filter((event) => !event.endsWith("update"))).toEqual([
      "critical open",
      "critical resolved",
    ]);
  });

  it.each([
    ["VRRP", "00:00:5e:00:01:0a", "00:00:5e:00:01:0b"],
    ["HSRP", "00:00:0c:07:ac:01", "00:00:0c:07:ac:02"],
    ["GLBP", "00:07:b4:00:01:01", "00:07:b4:00:01:02"],
  ])("leaves routers alone that share an address by %s", (_, one, two) => {
    const shared = bench();
    shared.step({ arp: [arpRow({ address: GATEWAY, mac: one, kind: "new" })] });
    shared.run(600, (at) => ({
      arp: [
        taken(GATEWAY, {
          mac: at % 2 === 0 ? two : one,
          previousMac: at % 2 === 0 ? one : two,
        }),
      ],
    }));
    expect(shared.events).toEqual([]);
  });

  it("finds an intruder that pretends to be such a router", () => {
    const spoof = bench();
    settled(spoof, GATEWAY, 900);
    const change = taken(GATEWAY, { mac: "00:00:5e:00:01:0a" });
    expect(severities(spoof.step({ arp: [change] }))).toEqual(["critical open"]);
  });

  it("finds a flood of announcements, not a host that just came up", () => {
    const flood = bench();
    flood.step({ arp: [arpRow({ kind: "new", replies: 0, gratuitous: 6 })] });
    flood.run(10, { arp: [arpRow({ replies: 0, gratuitous: 1 })] });
    expect(flood.events).toEqual([]);
    flood.run(5, { arp: [arpRow({ mac: INTRUDER, replies: 0, gratuitous: 20 })] });
    expect(flood.events).toMatchObject([
      { severity: "warning", entity: { key: INTRUDER }, observed: 20 },
    ]);
  });

  it("mentions a MAC that claims more than 8 addresses", () => {
    const proxy = bench();
    const rows = (addresses: number): ArpRow[] =>
      Array.from({ length: addresses }, (_, at) =>
        arpRow({ address: `10.0.0.${at + 10}`, kind: "new", addressesOfMac: addresses }),
      );
    proxy.step({ arp: rows(8) });
    expect(proxy.events).toEqual([]);
    proxy.step({ arp: rows(9) });
    expect(severities(proxy.events)).toEqual(["info open"]);
  });
});
