// SPDX-License-Identifier: AGPL-3.0-or-later
// Who makes too many requests or connections, and who only works: an application may open one for each query.
import { describe, expect, it } from "vitest";
import { httpFlood } from "../../src/detect/http-flood.ts";
import { pairRow } from "../support/attack-rows.ts";
import { DetectionBench, type Step } from "../support/detection-bench.ts";

const NEIGHBOUR = "10.0.0.9";
const STRANGER = "198.51.100.9";
/** Longer than a service is watched before it is known what is usual. */
const KNOWN_SECONDS = 700;

type Row = Parameters<typeof pairRow>[0];

const bench = (): DetectionBench => new DetectionBench({ detectors: [httpFlood], protocols: 0 });
const doing = (row: Row): Step => ({ rows: { pairs: [pairRow({ client: NEIGHBOUR, ...row })] } });

/** Settings that findings were told by, each once. */
function told({ events }: DetectionBench): string[] {
  return [...new Set(events.map(({ threshold }) => threshold.setting.split(".").at(-1) ?? ""))];
}

/** By a fresh agent, of what goes on for ten seconds. */
function atOnce(row: Row): string[] {
  const fresh = bench();
  fresh.run(3);
  fresh.run(10, doing(row));
  return told(fresh);
}

describe("a client of a service, at once", () => {
  it.each([
    ["150 connections", { connections: 150 }, []],
    ["150 requests on connections of their own", { connections: 150, requests: 150 }, []],
    ["250 connections", { connections: 250 }, ["connections"]],
    ["250 requests", { connections: 250, requests: 250 }, ["requests"]],
    ["150 connections without a word", { connections: 150, empty: 150 }, ["empty_connections"]],
    ["90 connections without a word", { connections: 90, empty: 90 }, []],
  ])("from inside, with %s a second", (_, row, expected) => {
    expect(atOnce(row)).toEqual(expected);
  });

  it.each([
    ["120 connections", { connections: 120 }, ["outside"]],
    ["120 requests", { connections: 2, requests: 120 }, ["outside"]],
    ["90 requests", { connections: 90, requests: 90 }, []],
    ["250 requests", { connections: 2, requests: 250 }, ["requests"]],
  ])("from outside, with %s a second", (_, row, expected) => {
    expect(atOnce({ client: STRANGER, ...row })).toEqual(expected);
    expect(atOnce({ client: NEIGHBOUR, server: STRANGER, ...row })).not.toContain("outside");
  });

  it("that loads a page of four hundred pictures", () => {
    const fresh = bench();
    fresh.run(5);
    fresh.step(doing({ client: STRANGER, connections: 6, requests: 400 }));
    fresh.run(10, doing({ client: STRANGER, requests: 2 }));
    expect(told(fresh)).toEqual([]);
  });
});

describe.each(["connections", "requests"] as const)("%s to a service that is known", (what) => {
  const at = (rate: number, client = NEIGHBOUR): Step => doing({ client, [what]: rate });
  const known = (rate: number): DetectionBench => {
    const watched = bench();
    watched.run(KNOWN_SECONDS, at(rate, "10.0.0.8"));
    return watched;
  };
  const setting = `unusual_${what}`;

  it("are a flood where one client suddenly makes far more than all before", () => {
    const watched = known(3);
    watched.run(15, at(130));
    expect(told(watched)).toEqual([setting]);
    watched.run(300, at(130));
    expect(watched.engine.active()).toHaveLength(1);
    watched.run(120);
    expect(watched.events.at(-1)?.state).toBe("resolved");
  });

  it("are none where they are usual", () => {
    const watched = known(90);
    watched.run(60, at(130));
    expect(told(watched)).toEqual([]);
  });

  it("are none where a working day begins within ten minutes", () => {
    const watched = known(3);
    watched.run(600, (second) => at(3 + (second * 127) / 600));
    watched.run(600, at(130));
    expect(told(watched)).toEqual([]);
  });

  it("are one flood though it comes in waves", () => {
    const watched = known(3);
    for (let wave = 0; wave < 6; wave++) {
      watched.run(20, at(150));
      watched.run(20, at(1));
    }
    expect(watched.events.map(({ state }) => state)).toEqual(["open"]);
  });
});

describe("requests that were going on at the start", () => {
  it("did not begin suddenly, however long they are watched", () => {
    const watched = bench();
    watched.run(KNOWN_SECONDS, doing({ requests: 45 }));
    watched.run(600, (second) => doing({ requests: 45 + (second * 85) / 600 }));
    expect(told(watched)).toEqual([]);
  });
});
