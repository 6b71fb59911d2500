// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { AllowList, allowSettings } from "../../src/detect/allow.ts";
import type { Entity, Finding } from "../../src/detect/detector.ts";
import { multiSignal } from "../../src/detect/multi-signal.ts";
import { portScan } from "../../src/detect/port-scan.ts";
import { selfWatch } from "../../src/detect/self.ts";
import { silence } from "../../src/detect/silence.ts";
import { DetectionBench } from "../support/detection-bench.ts";
import { contactRow, dnsDomainRow } from "../support/windows.ts";

const scan = {
  contacts: [contactRow({ contacts: 500, refused: 500, ports: 500, topDestination: "10.0.0.80" })],
};

function allows(settings: object, parts: Partial<Entity>): boolean {
  const list = new AllowList(allowSettings.parse(settings));
  const entity: Entity = { kind: "source", key: "k", ...parts };
  return list.allows({ entity } as Finding);
}

describe("the list of what is allowed", () => {
  it.each([
    [{ networks: ["192.0.2.0/24"] }, { source: "192.0.2.7" }, { source: "192.0.3.7" }],
    [{ networks: ["192.0.2.7"] }, { destination: "192.0.2.7" }, { destination: "192.0.2.8" }],
    [{ networks: ["2001:db8::/32"] }, { source: "2001:db8::1" }, { source: "2001:db9::1" }],
    [{ domains: ["Example.com"] }, { domain: "a.example.com" }, { domain: "badexample.com" }],
    [{ ports: [8080] }, { port: 8080 }, { port: 80 }],
    [{ processes: ["backup"] }, { process: "backup" }, { process: "backup2" }],
    [{ fingerprints: ["t13d"] }, { fingerprint: "t13d" }, { fingerprint: "t12d" }],
  ])("%j allows %j and not %j", (settings, allowed, other) => {
    expect(allows(settings, allowed)).toBe(true);
    expect(allows(settings, other)).toBe(false);
    expect(allows({}, allowed)).toBe(false);
  });

  it("refuses what is no network", () => {
    for (const network of ["example.com", "192.0.2.0/33", "1.2.3", "::1/129"]) {
      expect(allowSettings.safeParse({ networks: [network] }).success, network).toBe(false);
    }
  });

  it("keeps findings from being told, and counts them", async () => {
    const bench = new DetectionBench({ settings: { allow: { networks: ["192.0.2.0/24"] } } });
    expect(bench.step(scan)).toEqual([]);
    const series = 'nam_anomaly_suppressed_total{detector="port_scan",reason="allowed"}';
    expect(await bench.series(series)).toBe(1);
  });

  it("holds from the next tick on when the settings change", () => {
    const bench = new DetectionBench({ detectors: [portScan] });
    bench.engine.reconfigure({ allow: { networks: ["192.0.2.1"] } });
    expect(bench.step(scan)).toEqual([]);
    bench.engine.reconfigure({});
    expect(bench.step(scan)).toMatchObject([{ detector: "port_scan" }]);
  });
});

describe("learning", () => {
  it("tells nothing above info, and what lasts at its end", async () => {
    const settings = { guards: { learn_seconds: 10 } };
    const bench = new DetectionBench({ settings, detectors: [portScan] });
    expect(bench.step(scan)).toMatchObject([{ severity: "info", state: "open" }]);
    expect(await bench.series("nam_detection_learning")).toBe(1);
    bench.run(9, scan);
    expect(bench.events.every(({ severity }) => severity === "info")).toBe(true);
    expect(bench.step(scan)).toMatchObject([{ severity: "warning", state: "update" }]);
    expect(await bench.series("nam_detection_learning")).toBe(0);
  });
});

describe("several signals of one host", () => {
  const tunnel = {
    dns_domains: [
      dnsDomainRow({
        ...{ client: "192.0.2.1", domain: "evil.test", queries: 200, subdomains: 200 },
        ...{ subdomainChars: 9000, entropyBits: 800 },
      }),
    ],
  };

  it("are one critical incident, within a minute of each other", () => {
    const bench = new DetectionBench();
    bench.step(scan);
    bench.run(30);
    expect(bench.step({ rows: tunnel })).toMatchObject([
      { detector: "dns_tunnel" },
      { detector: multiSignal.name, severity: "critical", entity: { key: "192.0.2.1" } },
    ]);
  });

  it("are none when they are far apart, or of one kind", () => {
    const bench = new DetectionBench();
    bench.step(scan);
    bench.run(70);
    bench.step({ rows: tunnel });
    bench.run(5, { rows: tunnel });
    expect(bench.events.map(({ detector }) => detector)).not.toContain(multiSignal.name);
  });
});

describe("silence", () => {
  const quiet = { capture: { received: 0, processed: 0, bytes: 0 } };

  it("is an alarm on an interface that always had packets, and ends with them", () => {
    const bench = new DetectionBench({ detectors: [silence] });
    bench.run(601);
    expect(bench.run(29, quiet)).toEqual([]);
    expect(bench.step(quiet)).toMatchObject([{ detector: "silence", severity: "warning" }]);
    expect(bench.run(6)).toMatchObject([{ state: "resolved" }]);
  });

  it("is none before it is known, and on an interface that is often silent", () => {
    const fresh = new DetectionBench({ detectors: [silence] });
    fresh.run(300);
    fresh.run(600, quiet);
    const sparse = new DetectionBench({ detectors: [silence] });
    sparse.run(1200, (at) => (at % 3 === 0 ? {} : quiet));
    sparse.run(300, quiet);
    expect([...fresh.events, ...sparse.events]).toEqual([]);
  });
});

describe("the agent itself", () => {
  it("tells of loss that lasts, not of a moment's", () => {
    const bench = new DetectionBench({ detectors: [selfWatch] });
    const lossy = { capture: { dropped: { kernel: 50, ring: 0, shed: 0, ipc: 0 } } };
    bench.run(5, lossy);
    bench.run(5);
    expect(bench.events).toEqual([]);
    bench.run(10, lossy);
    expect(bench.events).toMatchObject([{ detector: "self", entity: { key: "eth0 loss" } }]);
  });

  it("tells of lag, and of sensors that do not run", () => {
    const bench = new DetectionBench({ detectors: [selfWatch] });
    bench.run(10, { capture: { lagSeconds: 20 } });
    bench.run(10, { capture: null });
    expect(bench.events.map(({ entity }) => entity.key)).toEqual(["eth0 lag", "no sensor"]);
  });
});
