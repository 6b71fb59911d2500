// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { hostSweep, portScan } from "../../src/detect/port-scan.ts";
import { scannerThreshold, walk, walkModel } from "../../src/detect/random-walk.ts";
import { synFlood } from "../../src/detect/syn-flood.ts";
import { DetectionBench, randomOf } from "../support/detection-bench.ts";
import { type ContactRow, contactRow, handshakeRow } from "../support/windows.ts";

const OUTSIDE = "198.51.100.9";
const INSIDE = "10.0.0.5";
const detectors = [portScan, hostSweep, synFlood];

function bench(): DetectionBench {
  return new DetectionBench({ detectors });
}

/** `probes` new ports of one host, all refused, after `before` earlier ones. */
function vertical(source: string, probes: number, before = 0): ContactRow {
  return contactRow({
    source,
    contacts: probes,
    refused: probes,
    ports: before + probes,
    topDestination: "10.0.0.80",
  });
}

describe("threshold random walk", () => {
  it("needs the number of failures the paper's formula gives", () => {
    const model = walkModel(0.8, 0.2, 0.99, 1e-6);
    const upper = scannerThreshold(0.99, 1e-6);
    expect(walk(model, upper, 0, 0, 9)).toBeLessThan(upper);
    expect(walk(model, upper, 0, 0, 10)).toBe(upper);
  });

  it("takes the outcomes of a window evenly mixed", () => {
    const model = walkModel(0.8, 0.2, 0.99, 1e-6);
    const upper = scannerThreshold(0.99, 1e-6);
    expect(walk(model, upper, 0, 800, 200)).toBeLessThan(3);
    expect(walk(model, upper, 0, 60, 2940)).toBe(upper);
    expect(walk(model, upper, 0, 0, 0)).toBe(0);
  });
});

describe("port scan", () => {
  it("finds nmap -sS against closed ports in its first window", () => {
    const [event, ...others] = bench().step({ contacts: [vertical(OUTSIDE, 1000)] });
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      detector: "port_scan",
      class: "scan",
      severity: "warning",
      state: "open",
      entity: { kind: "source", key: OUTSIDE, destination: "10.0.0.80" },
      observed: 1000,
      threshold: { value: 10, setting: "detectors.port_scan.alpha" },
    });
    expect(event?.explanation).toContain("none of 1,000 first contacts succeeded");
  });

  it("is critical when the scanner is one of ours", () => {
    const [event] = bench().step({ contacts: [vertical(INSIDE, 1000)] });
    expect(event).toMatchObject({
      severity: "critical",
      threshold: { value: 15, setting: "detectors.port_scan.home_alpha" },
    });
  });

  it.each([
    { rate: 1, ticks: 10 },
    { rate: 5, ticks: 2 },
    { rate: 10, ticks: 1 },
    { rate: 1000, ticks: 1 },
  ])("needs 10 refused probes at $rate/s: $ticks ticks", ({ rate, ticks }) => {
    const scan = bench();
    scan.run(ticks - 1, (at) => ({ contacts: [vertical(OUTSIDE, rate, at * rate)] }));
    expect(scan.events).toEqual([]);
    scan.step({ contacts: [vertical(OUTSIDE, rate, (ticks - 1) * rate)] });
    expect(scan.events.map(({ detector }) => detector)).toEqual(["port_scan"]);
  });

  it.each([OUTSIDE, INSIDE])("finds filtered ports at once when %s tries many", (source) => {
    const probes = { source, contacts: 100, ports: 100, topDestination: "10.0.0.80" };
    const scan = bench();
    scan.step({ contacts: [contactRow(probes)] });
    expect(scan.events).toMatchObject([{ detector: "port_scan", observed: 100 }]);
  });

  it("finds filtered ports that are tried slowly when their silence has run out", () => {
    const scan = bench();
    scan.run(20, (at) => ({
      contacts: [
        contactRow({
          source: OUTSIDE,
          contacts: 1,
          unanswered: at < 3 ? 0 : 1,
          ports: at + 1,
          topDestination: "10.0.0.80",
        }),
      ],
    }));
    const start = scan.timeMs / 1000 - 20;
    expect(scan.events).toMatchObject([{ detector: "port_scan", time: start + 13 }]);
  });

  it("waits for the outcome where a host's answers may be under way", () => {
    const parallel = bench();
    const ports = { source: OUTSIDE, contacts: 30, topDestination: "10.0.0.80" };
    parallel.step({ contacts: [contactRow({ ...ports, successes: 3, ports: 30 })] });
    parallel.step({ contacts: [contactRow({ ...ports, successes: 30, ports: 60 })] });
    parallel.step({ contacts: [contactRow({ ...ports, contacts: 0, successes: 27, ports: 60 })] });
    expect(parallel.events).toEqual([]);
  });

  it.each([
    ["a few ports", { ports: 40, topPort: 40_000 }, 0],
    ["the ports of traceroute", { ports: 90, topPort: 33_450 }, 0],
    ["many ports", { ports: 100, topPort: 161 }, 1],
  ])("expects no answer from UDP on %s", (_, parts, alarms) => {
    const udp = bench();
    const row = contactRow({ source: OUTSIDE, protocol: "udp", contacts: 20, ...parts });
    udp.run(5, { contacts: [{ ...row, topDestination: "10.0.0.80" }] });
    expect(udp.events.length).toBe(alarms);
  });

  it("finds a scan that also meets open ports", () => {
    const row = contactRow({
      source: OUTSIDE,
      contacts: 100,
      successes: 20,
      refused: 80,
      ports: 100,
      topDestination: "10.0.0.80",
    });
    expect(bench().step({ contacts: [row] })).toMatchObject([{ detector: "port_scan" }]);
  });

  it("adds up what several sensors saw of one source", () => {
    const scan = bench();
    scan.step({ contacts: [vertical(OUTSIDE, 5), vertical(OUTSIDE, 5)] });
    expect(scan.events).toMatchObject([{ detector: "port_scan", observed: 10 }]);
  });

  it("is resolved soon after the scan, and told with its worst numbers", () => {
    const scan = bench();
    scan.run(3, (at) => ({ contacts: [vertical(OUTSIDE, 500, at * 500)] }));
    const changes = scan.run(40);
    expect(changes).toMatchObject([{ state: "resolved", observed: 1500, count: 3 }]);
    expect((changes[0]?.time ?? 0) - (scan.events[0]?.time ?? 0)).toBe(32);
  });

  it("ends when the source behaves again", () => {
    const scan = bench();
    scan.step({ contacts: [vertical(OUTSIDE, 100)] });
    scan.step({ contacts: [contactRow({ source: OUTSIDE, contacts: 40, successes: 40 })] });
    scan.run(3, { contacts: [contactRow({ source: OUTSIDE, contacts: 1, refused: 1 })] });
    expect(scan.run(29)).toMatchObject([{ state: "resolved", count: 1 }]);
  });

  it("needs more from one of ours that meets only silence: that is what a dead uplink looks like", () => {
    const outage = bench();
    const silent = contactRow({
      source: INSIDE,
      contacts: 40,
      unanswered: 40,
      destinations: 40,
      topPort: 443,
    });
    expect(outage.step({ contacts: [silent] })).toEqual([]);
    const worm = { ...silent, contacts: 400, failures: 400, unanswered: 400, destinations: 440 };
    expect(outage.step({ contacts: [worm] })).toMatchObject([{ detector: "host_sweep" }]);
  });

  it("tells a sweep of hosts from a scan of ports", () => {
    const sweep = contactRow({
      source: OUTSIDE,
      contacts: 254,
      refused: 254,
      destinations: 254,
      topPort: 22,
    });
    const [event, ...others] = bench().step({ contacts: [sweep] });
    expect(others).toEqual([]);
    expect(event).toMatchObject({ detector: "host_sweep", entity: { key: OUTSIDE, port: 22 } });
    expect(event?.suggestion.wireshark_filter).toContain("tcp.dstport == 22");
  });

  it("stays with its first name for one scan, whatever the scan does next", () => {
    const scan = bench();
    scan.step({ contacts: [vertical(OUTSIDE, 100)] });
    const wide = contactRow({
      source: OUTSIDE,
      contacts: 254,
      refused: 254,
      destinations: 254,
      ports: 100,
      topPort: 22,
    });
    scan.run(5, { contacts: [wide] });
    expect(scan.events.map(({ detector }) => detector)).toEqual(["port_scan"]);
  });

  it("leaves failing peer-to-peer traffic alone: each contact is a new host and a new port", () => {
    const peers = bench();
    peers.run(60, (at) => ({
      contacts: [
        contactRow({
          source: INSIDE,
          contacts: 10,
          successes: 3,
          refused: 2,
          unanswered: 5,
          destinations: (at + 1) * 10,
          ports: (at + 1) * 9,
        }),
      ],
    }));
    expect(peers.events).toEqual([]);
  });

  it.each([
    [0.8, 11],
    [0.9, 12],
    [0.97, 13],
  ])(
    "calls no busy client with %d success a scanner in 100,000 first contacts",
    (success, seed) => {
      const random = randomOf(seed);
      const clients = bench();
      let contacts = 0;
      while (contacts < 100_000) {
        const begun = Math.floor(random() * 60);
        let successes = 0;
        for (let at = 0; at < begun; at++) if (random() < success) successes++;
        contacts += begun;
        const row = contactRow({
          source: contacts % 2 === 0 ? INSIDE : OUTSIDE,
          contacts: begun,
          successes,
          refused: begun - successes,
          destinations: 300,
          ports: 3,
          topPort: 443,
        });
        clients.step({ contacts: [row] });
      }
      expect(clients.events).toEqual([]);
    },
  );

  it("finds the scan of a client that is busy otherwise", () => {
    const scan = bench();
    const busy = { source: INSIDE, contacts: 50, successes: 47, refused: 3, destinations: 300 };
    scan.run(100, { contacts: [contactRow({ ...busy, ports: 3, topPort: 443 })] });
    expect(scan.events).toEqual([]);
    scan.step({
      contacts: [
        contactRow({
          ...busy,
          contacts: 550,
          refused: 503,
          ports: 503,
          topDestination: "10.0.0.80",
        }),
      ],
    });
    expect(scan.events).toMatchObject([{ detector: "port_scan", severity: "critical" }]);
  });

  it("does not make scanners of a flood's random sources", () => {
    const random = randomOf(5);
    const flood = bench();
    flood.run(20, () => ({
      contacts: Array.from({ length: 256 }, () =>
        contactRow({
          source: `203.0.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}`,
          contacts: 1,
          unanswered: 1,
          topDestination: "10.0.0.80",
          topPort: 80,
        }),
      ),
      handshakes: [handshakeRow({ syn: 20_000, synAck: 900, sources: 19_000 })],
    }));
    expect(flood.events.map(({ detector }) => detector)).toEqual(["syn_flood"]);
  });

  it("raises no flood for a scan over many ports", () => {
    const scan = bench();
    scan.run(10, (at) => ({
      contacts: [vertical(OUTSIDE, 6000, at * 6000)],
      handshakes: Array.from({ length: 128 }, (_, port) =>
        handshakeRow({ port: at * 128 + port + 1, syn: 2, refused: 2, topSource: OUTSIDE }),
      ),
    }));
    expect(scan.events.map(({ detector }) => detector)).toEqual(["port_scan"]);
  });
});
