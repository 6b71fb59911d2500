// SPDX-License-Identifier: AGPL-3.0-or-later
// Guards inside detectors: what is too little to mean anything, what is not believed and not learned while packets are
// lost, and what counts once.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { DetectorDefinition, SignalState, Tick } from "../../src/detect/detector.ts";
import { nxdomainRatio } from "../../src/detect/dns-ratio.ts";
import { exfiltration } from "../../src/detect/exfiltration.ts";
import { HandshakeBalance } from "../../src/detect/handshake-balance.ts";
import { multiSignal } from "../../src/detect/multi-signal.ts";
import { seasonal } from "../../src/detect/seasonal.ts";
import { Services } from "../../src/detect/services.ts";
import { DetectionBench, type Step } from "../support/detection-bench.ts";
import { dnsHostRow, drops, handshakeRow, makeWindow, START_MS } from "../support/windows.ts";

const LOSSY: Step = { capture: { received: 1000, dropped: drops({ kernel: 500 }) } };
const HOST = "10.0.0.5";

describe("little", () => {
  it("traffic is no flood, however small the usual is", () => {
    const balance = new HandshakeBalance({ drift: 0.7, limit: 5, minimumRate: 20 });
    for (let second = 0; second < 600; second++) balance.update(13, 0, 1, true);
    expect(balance.alarm).toBe(false);
    for (let second = 0; second < 600; second++) balance.update(16, 0, 1, true);
    expect(balance.alarm).toBe(true);
  });

  it.each([
    ["packets", 19.9, false],
    ["packets", 20, true],
    ["bytes", 19_999, false],
    ["bytes", 20_000, true],
  ])("is no deviation from a season: %s, %d more than usual", (unit, more, expected) => {
    expect(tellsOfSeason({ unit, mean: 5, value: 5 + more, z: 9 }, false)).toBe(expected);
  });
});

describe("while packets are lost", () => {
  it.each([
    ["fewer packets than usual are believed without loss", -9, false, true],
    ["fewer packets than usual are not believed", -9, true, false],
    ["more packets than usual are", 9, true, true],
  ])("%s", (_, score, tainted, expected) => {
    const value = score < 0 ? 10 : 1000;
    expect(tellsOfSeason({ unit: "packets", mean: 500, value, z: score }, tainted)).toBe(expected);
  });

  it.each([
    ["", {}, 0],
    ["not ", LOSSY, 1],
  ])("a client's share of names that do not exist is %slearned", (_, capture, told) => {
    const bench = new DetectionBench({ detectors: [nxdomainRatio], protocols: 1 });
    const share = (nxdomain: number): Step => ({
      rows: { dns_hosts: [dnsHostRow({ host: HOST, responses: 100, nxdomain })] },
    });
    bench.run(10_000, { ...capture, ...share(30) });
    bench.run(120);
    bench.run(60, share(75));
    expect(bench.events).toHaveLength(told);
  });

  it.each([
    ["", {}, 0],
    ["not ", LOSSY, 1],
  ])("what a host sends in an hour is %slearned", (_, capture, told) => {
    const bench = new DetectionBench({ detectors: [exfiltration], protocols: 1 });
    const sends = (server: string, upBytes: number, downBytes: number): Step => ({
      rows: { volumes: [{ client: HOST, server, port: 443, upBytes, downBytes }] },
    });
    bench.run(1600, { ...capture, seconds: 60, ...sends("198.51.100.7", 1e7, 1e7) });
    bench.run(1, { seconds: 60, ...sends("198.51.100.8", 2e8, 0) });
    expect(bench.events).toHaveLength(told);
  });

  it.each([
    ["", false, 40],
    ["not ", true, 0],
  ])("what a service usually completes is %slearned", (_, tainted, usual) => {
    const services = new Services({ drift: 0.7, limit: 5, minimum_rate: 20 });
    const handshakes = [handshakeRow({ syn: 40, established: 40 })];
    const tick = {
      window: makeWindow({ startMs: START_MS, rows: { handshakes } }),
      ...{ seconds: 1, tainted },
    };
    let busy = services.update(tick as unknown as Tick);
    for (let second = 0; second < 900; second++) busy = services.update(tick as unknown as Tick);
    expect(busy[0]?.balance.usual).toBeCloseTo(usual, 3);
  });
});

describe("several signals of one host", () => {
  const told = (second: string): string[] => {
    const detectors = [warner("first", "scan"), warner("second", second), multiSignal];
    const bench = new DetectionBench({ detectors, protocols: 1 });
    bench.run(5);
    return bench.events.map(({ detector }) => detector);
  };

  it("are one incident where they are of different kinds, and none where of one", () => {
    expect(told("flood")).toContain("multi_signal");
    expect(told("scan")).toEqual(["first", "second"]);
  });
});

function tellsOfSeason(parts: Partial<SignalState>, tainted: boolean): boolean {
  const signal = { name: "s", baseline: "seasonal", protocol: "all", ready: true, ...parts };
  const detector = seasonal.create(seasonal.settings.parse({}), { isHome: () => false });
  const tick = { signals: [signal], tainted, elapsedMs: 0, timeMs: 0 };
  return detector.evaluate(tick as unknown as Tick).length > 0;
}

/** Warns of one host in every tick. */
function warner(name: string, kind: string): DetectorDefinition<unknown> {
  return {
    ...{ name, class: kind, help: "Warns.", severities: ["warning"], quietSeconds: 30 },
    settings: z.strictObject({}),
    create: () => ({
      evaluate: () => [
        {
          entity: { kind: "source", key: HOST, source: HOST },
          ...{ severity: "warning", protocol: "tcp", observed: 9, expected: 0 },
          threshold: { value: 1, setting: `detectors.${name}.enabled` },
          ...{ windowSeconds: 1, samples: 9, evidence: [], explanation: `${name} warns.` },
          suggestion: { wireshark_filter: "frame", promql: "up" },
        },
      ],
    }),
  };
}
