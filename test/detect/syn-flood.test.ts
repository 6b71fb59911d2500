// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { handshakeFailure } from "../../src/detect/handshake-failure.ts";
import { synFlood } from "../../src/detect/syn-flood.ts";
import { DetectionBench, randomOf } from "../support/detection-bench.ts";
import { type HandshakeRow, handshakeRow } from "../support/windows.ts";

function bench(): DetectionBench {
  return new DetectionBench({ detectors: [synFlood, handshakeFailure] });
}

/** A healthy service: what begins is finished, some of it a tick later. */
function healthy(rate: number, random: () => number): HandshakeRow {
  const syn = Math.round(rate * (0.8 + 0.4 * random()));
  const established = Math.round(syn * (0.95 + 0.05 * random()));
  return handshakeRow({ syn, synAck: syn, established, sources: Math.ceil(syn / 3) });
}

describe("SYN flood", () => {
  it("finds hping3 against an open port in the first window of a fresh agent", () => {
    const row = handshakeRow({
      syn: 2400,
      synAck: 2400,
      aborted: 2390,
      topSource: "10.0.0.1",
      topSourceSyn: 2400,
    });
    const [event, ...others] = bench().step({ handshakes: [row] });
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      detector: "syn_flood",
      severity: "critical",
      entity: { kind: "service", key: "10.0.0.80:80", source: "10.0.0.1", port: 80 },
      observed: 2400,
      threshold: { value: 100, setting: "detectors.syn_flood.floor" },
    });
    expect(event?.explanation).toContain("2,400 connection attempts/s from 10.0.0.1");
  });

  it("finds a flood of spoofed sources in its first window", () => {
    const row = handshakeRow({ syn: 5000, synAck: 256, sources: 4700 });
    const [event] = bench().step({ handshakes: [row] });
    expect(event).toMatchObject({ detector: "syn_flood" });
    expect(event?.explanation).toContain("4,700 addresses, probably spoofed");
  });

  it("finds a flood of a closed port in its first window", () => {
    const row = handshakeRow({ syn: 900, refused: 900, topSource: "10.0.0.1", topSourceSyn: 900 });
    expect(bench().step({ handshakes: [row] })).toMatchObject([{ detector: "syn_flood" }]);
  });

  it("waits one tick where handshakes may just be under way", () => {
    const flood = bench();
    const row = handshakeRow({ syn: 300, topSource: "10.0.0.1", topSourceSyn: 300 });
    expect(flood.step({ handshakes: [row] })).toEqual([]);
    expect(flood.step({ handshakes: [row] })).toMatchObject([{ detector: "syn_flood" }]);
  });

  it("leaves a load test alone that began just before the tick ended", () => {
    const load = bench();
    const clients = { topSource: "10.0.0.9", topSourceSyn: 200 };
    load.step({
      handshakes: [handshakeRow({ syn: 400, synAck: 50, established: 40, ...clients })],
    });
    load.step({
      handshakes: [handshakeRow({ syn: 600, synAck: 950, established: 950, ...clients })],
    });
    load.run(20, {
      handshakes: [handshakeRow({ syn: 600, synAck: 600, established: 600, ...clients })],
    });
    expect(load.events).toEqual([]);
  });

  it("leaves a flash crowd alone", () => {
    const random = randomOf(3);
    const crowd = bench();
    crowd.run(300, { handshakes: [healthy(20, random)] });
    crowd.run(120, () => ({ handshakes: [healthy(1500, random)] }));
    expect(crowd.events).toEqual([]);
  });

  it("leaves a client alone that retries a dead service, and says that the service is dead", () => {
    const retry = bench();
    const row = handshakeRow({ syn: 120, refused: 120, topSource: "10.0.0.9", topSourceSyn: 120 });
    retry.run(20, { handshakes: [row] });
    expect(retry.events).toMatchObject([
      { detector: "tcp_handshake_failure", severity: "warning", state: "open" },
    ]);
    expect(retry.events[0]?.explanation).toContain("the service refuses them");
  });

  it.each([
    { base: 20, times: 10 },
    { base: 200, times: 10 },
    { base: 200, times: 3 },
  ])("finds $times times the usual $base/s within 3 s on a watched service", ({ base, times }) => {
    const random = randomOf(base);
    const flood = bench();
    flood.run(200, () => ({ handshakes: [healthy(base, random)] }));
    expect(flood.events).toEqual([]);
    const changes = flood.run(3, () => {
      const usual = healthy(base, random);
      const syn = usual.syn + base * times;
      return { handshakes: [handshakeRow({ ...usual, syn, synAck: usual.synAck, sources: syn })] };
    });
    expect(changes.map(({ detector }) => detector)).toContain("syn_flood");
  });

  it("ends soon after the flood does", () => {
    const flood = bench();
    const row = handshakeRow({ syn: 5000, sources: 5000 });
    flood.run(60, { handshakes: [row] });
    const changes = flood.run(31);
    expect(changes).toMatchObject([{ state: "resolved", count: 60 }]);
  });

  it("does not resolve a flood that goes on for an hour", () => {
    const flood = bench();
    flood.run(3600, { handshakes: [handshakeRow({ syn: 5000, sources: 5000 })] });
    expect(flood.events.map(({ state }) => state)).toEqual(["open", ...Array(11).fill("update")]);
  });

  it("leaves a known service alone whose own clients fail", () => {
    const random = randomOf(8);
    const outage = bench();
    outage.run(200, () => ({ handshakes: [healthy(300, random)] }));
    const changes = outage.run(60, () => {
      const usual = healthy(300, random);
      const established = Math.round(usual.syn * 0.4);
      return { handshakes: [{ ...usual, established, unanswered: usual.syn - established }] };
    });
    expect(changes.map(({ detector }) => detector)).not.toContain("syn_flood");
  });

  it("adds up what several sensors saw of one service", () => {
    const row = handshakeRow({ syn: 60, aborted: 60, topSource: "10.0.0.1", topSourceSyn: 60 });
    const [event] = bench().step({ handshakes: [row, row] });
    expect(event).toMatchObject({ detector: "syn_flood", observed: 120, samples: 120 });
  });
});

describe("failing handshakes", () => {
  const failing = handshakeRow({ syn: 60, established: 10, unanswered: 40, sources: 30 });

  it("are a warning, not a flood", () => {
    const outage = bench();
    outage.run(30, { handshakes: [failing] });
    expect(outage.events).toMatchObject([
      {
        detector: "tcp_handshake_failure",
        severity: "warning",
        threshold: { setting: "detectors.tcp_handshake_failure.limit" },
      },
    ]);
    expect(outage.events[0]?.explanation).toContain("they get no answer");
  });

  it("are not told beside a flood of the same service", async () => {
    const flood = bench();
    flood.run(10, { handshakes: [failing] });
    expect(
      flood.run(10, { handshakes: [handshakeRow({ syn: 9000, sources: 9000 })] }),
    ).toMatchObject([{ detector: "syn_flood", state: "open" }]);
    const suppressed =
      'nam_anomaly_suppressed_total{detector="tcp_handshake_failure",reason="superseded"}';
    expect(await flood.series(suppressed)).toBe(10);
  });

  it("of a few attempts are no event", () => {
    const rare = bench();
    rare.run(300, { handshakes: [handshakeRow({ syn: 8, refused: 8 })] });
    expect(rare.events).toEqual([]);
  });

  it("that were always there are normal once the service is known", () => {
    const old = bench();
    const row = handshakeRow({ syn: 40, established: 20, refused: 20, sources: 20 });
    old.run(3600, { handshakes: [row] });
    const later = old.run(600, { handshakes: [row] });
    expect(later.filter(({ state }) => state !== "resolved")).toEqual([]);
  });
});
