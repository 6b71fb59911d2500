// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { exfiltration } from "../../src/detect/exfiltration.ts";
import { newHost, newService, rareCombo, rareTls } from "../../src/detect/novelty.ts";
import { serviceProbe } from "../../src/detect/service-probe.ts";
import { unusualPort } from "../../src/detect/unusual-port.ts";
import { DetectionBench, type Step } from "../support/detection-bench.ts";
import { applicationRow, volumeRow } from "../support/gallery-covert.ts";
import { arpRow, handshakeRow } from "../support/windows.ts";

type Row = ReturnType<typeof volumeRow>;

function sent(...rows: readonly Row[]): Step {
  return { rows: { volumes: rows } };
}

describe("exfiltration", () => {
  it("adds up what goes to one destination within an hour", () => {
    const bench = new DetectionBench({ detectors: [exfiltration] });
    bench.run(9, sent(volumeRow({ upBytes: 11e6, downBytes: 1e5 })));
    expect(bench.events).toEqual([]);
    expect(bench.step(sent(volumeRow({ upBytes: 11e6 })))).toMatchObject([
      {
        ...{ detector: "exfiltration", severity: "warning", observed: 110e6 },
        entity: { source: "10.0.0.5", destination: "198.51.100.7" },
        threshold: { setting: "detectors.exfiltration.bytes" },
      },
    ]);
  });

  it.each([
    ["a download", { upBytes: 2e8, downBytes: 4e9 }],
    ["a call", { upBytes: 3e8, downBytes: 2e8 }],
    ["a copy at home", { upBytes: 5e9, server: "10.0.0.9" }],
    ["what is asked from outside", { upBytes: 5e9, client: "198.51.100.8", server: "10.0.0.9" }],
    ["a stream to a group", { upBytes: 5e9, server: "239.1.1.1" }],
  ])("is not %s", (_, parts) => {
    const bench = new DetectionBench({ detectors: [exfiltration] });
    bench.run(5, sent(volumeRow(parts)));
    expect(bench.events).toEqual([]);
  });

  it("knows after a day what a host sends", () => {
    const bench = new DetectionBench({
      detectors: [exfiltration],
      settings: { exfiltration: { bytes: 1e6 } },
    });
    const backup = sent(volumeRow({ upBytes: 9e5, server: "198.51.100.1" }));
    const twice = sent(volumeRow({ upBytes: 2e6 }));
    const hour = { ...backup, seconds: 3600 };
    bench.run(30, hour);
    expect(bench.events).toEqual([]);
    expect(bench.step({ ...twice, seconds: 1 })).toEqual([]);
    const much = sent(volumeRow({ upBytes: 6e6 }));
    expect(bench.step(much)).toMatchObject([{ detector: "exfiltration" }]);
  });
});

describe("unusual port", () => {
  it.each([
    ["ssh", 443, "warning"],
    ["ssh", 53, "warning"],
    ["tls", 53, "info"],
  ])("finds %s on %d", (application, port, severity) => {
    const bench = new DetectionBench({ detectors: [unusualPort] });
    bench.step({ rows: { applications: [applicationRow({ application, port })] } });
    expect(bench.events).toMatchObject([{ severity, protocol: application, entity: { port } }]);
  });

  it.each([
    ["ssh", 22],
    ["ssh", 2222],
    ["http", 8080],
    ["tls", 8443],
    ["tls", 443],
    ["http", 80],
    ["dns", 53],
  ])("finds nothing in %s on %d", (application, port) => {
    const bench = new DetectionBench({ detectors: [unusualPort] });
    bench.step({ rows: { applications: [applicationRow({ application, port })] } });
    expect(bench.events).toEqual([]);
  });
});

describe("service probe", () => {
  const spoken = (application: string, client = "10.0.0.5"): Step => ({
    rows: { applications: [applicationRow({ application, port: 8000, topClient: client })] },
  });

  it("is one client that speaks many applications to one port", () => {
    const bench = new DetectionBench({ detectors: [serviceProbe] });
    for (const application of ["http", "tls", "smb"]) bench.step(spoken(application));
    bench.run(5, spoken("http"));
    expect(bench.events).toEqual([]);
    expect(bench.step(spoken("ldap"))).toMatchObject([
      {
        ...{ detector: "service_probe", severity: "warning", observed: 4, entity: { port: 8000 } },
        evidence: ["spoken (by payload): http, tls, smb, ldap"],
      },
    ]);
  });

  it("is not what several clients speak, or one over hours", () => {
    const bench = new DetectionBench({ detectors: [serviceProbe] });
    for (const [at, application] of ["http", "tls", "smb", "ldap"].entries()) {
      bench.step(spoken(application, `10.0.0.${at}`));
      bench.step(spoken(application));
      bench.run(200);
    }
    expect(bench.events).toEqual([]);
  });
});

describe("what is new", () => {
  const detectors = [newHost, newService, rareCombo, rareTls];
  const learn = { learn_seconds: 60 };
  const settings = { new_host: learn, new_service: learn, rare_combo: learn, rare_tls: learn };
  const seen = (number: number): Step => ({
    arp: [arpRow({ mac: `02:00:00:00:00:0${number}` })],
    handshakes: [handshakeRow({ port: number, established: 1, syn: 1 })],
    rows: { applications: [applicationRow({ port: number })] },
    tallies: { "tls.ja4": [[`t13d151${number}h2_8daaf6152771_e5627efa2ab1`, 3]] },
  });

  it("is told once it is known what is not, for a moment, and as worth knowing", () => {
    const bench = new DetectionBench({ detectors, settings });
    bench.run(60, seen(1));
    expect(bench.events).toEqual([]);
    bench.run(100, seen(1));
    expect(bench.events).toEqual([]);
    bench.run(100, seen(2));
    const opened = bench.events.filter(({ state }) => state === "open");
    expect(opened.map(({ detector }) => detector)).toEqual(detectors.map(({ name }) => name));
    expect(opened.every(({ severity }) => severity === "info")).toBe(true);
    expect(bench.engine.active()).toEqual([]);
  });
});
