// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { beacon } from "../../src/detect/beacon.ts";
import type { TrackerRows } from "../../src/flow/window.ts";
import { DetectionBench, randomOf } from "../support/detection-bench.ts";
import { beaconRow } from "../support/gallery-covert.ts";

type Row = TrackerRows["beacons"][number];

function told(...rows: readonly Row[]): DetectionBench["events"] {
  const bench = new DetectionBench({ detectors: [beacon] });
  bench.step({ rows: { beacons: rows } });
  return bench.events;
}

describe("beacon", () => {
  it.each([
    [17, 4000, 0.05],
    [17, 60_000, 0.15],
    [33, 600_000, 0.3],
  ])(
    "is found in %d connections every %d ms with a jitter of %d",
    (connections, periodMs, jitter) => {
      for (let seed = 1; seed <= 20; seed++) {
        const [event] = told(beaconRow({ connections }, periodMs, jitter, randomOf(seed)));
        expect(event, `seed ${seed}`).toMatchObject({
          ...{ detector: "beacon", severity: "warning" },
          entity: { source: "10.0.0.5", destination: "198.51.100.7", port: 443 },
        });
      }
    },
  );

  it("is found in a hundred calls nine times out of ten although each comes half a period early or late", () => {
    const random = randomOf(12);
    const found = Array.from({ length: 40 }, () => {
      const { intervalsMs: all } = beaconRow({ connections: 33 }, 60_000, 0.5, random);
      const calls = [...all, ...beaconRow({ connections: 33 }, 60_000, 0.5, random).intervalsMs];
      const last = (at: number): Row =>
        beaconRow({ connections: 33 + at, intervalsMs: calls.slice(at, at + 32) }, 1, 0, random);
      return told(...Array.from({ length: 32 }, (_, at) => ({ ...last(at), port: 8000 + at })));
    }).filter((events) => events.length > 0);
    expect(found.length).toBeGreaterThan(35);
  });

  it.each([
    ["evenly spread from a second to a minute", (random: () => number) => 1000 + 59_000 * random()],
    ["of a person, who now and then pauses", (random: () => number) => 3000 / random()],
  ])("is none in connections %s", (_, interval) => {
    const random = randomOf(13);
    const rows = Array.from({ length: 500 }, (_, pair) => {
      const intervalsMs = Array.from({ length: 32 }, () => interval(random));
      return beaconRow({ connections: 33, intervalsMs, port: 1000 + pair }, 1, 0, random);
    });
    expect(told(...rows)).toEqual([]);
  });

  it("is found although one call in ten is missing", () => {
    const row = beaconRow({ connections: 33 }, 10_000, 0.1, randomOf(9));
    const intervalsMs = row.intervalsMs.map((interval, at) =>
      at % 16 === 7 ? 2 * interval : interval,
    );
    expect(told({ ...row, intervalsMs })).toHaveLength(1);
  });

  it("is no traffic of people: not once in 20,000 pairs whose connections come by chance", () => {
    const random = randomOf(10);
    for (let at = 0; at < 200; at++) {
      const rows = Array.from({ length: 100 }, (_, pair) => {
        const intervalsMs = Array.from(
          { length: 32 },
          () => 1000 - 20_000 * Math.log(1 - random()),
        );
        return { ...beaconRow({ connections: 33 }, 1, 0, random), port: 1000 + pair, intervalsMs };
      });
      expect(told(...rows)).toEqual([]);
    }
  });

  it.each([
    ["few connections", beaconRow({ connections: 12 }, 60_000, 0.05, randomOf(1))],
    ["time servers", beaconRow({ connections: 40, port: 123 }, 64_000, 0, randomOf(1))],
    ["a busy program", beaconRow({ connections: 40 }, 1100, 0.05, randomOf(1))],
    ["multicast", beaconRow({ connections: 40, server: "239.1.2.3" }, 9000, 0, randomOf(1))],
  ])("is not %s", (_, row) => {
    expect(told(row)).toEqual([]);
  });

  it("is only worth knowing where many call the service, or one client many servers", () => {
    const row = beaconRow({ connections: 20 }, 60_000, 0.1, randomOf(2));
    const clients = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((client) => ({ ...row, client }));
    const servers = ["10.1.0.1", "10.1.0.2", "10.1.0.3"].map((server) => ({ ...row, server }));
    for (const events of [told(...clients), told(...servers)]) {
      expect(events.map(({ severity }) => severity)).toEqual(["info", "info", "info"]);
    }
  });
});
