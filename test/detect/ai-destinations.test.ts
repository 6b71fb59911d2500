// SPDX-License-Identifier: AGPL-3.0-or-later
// Detectors of where an agent goes after a model's reply, each beside what is harmless and looks like it.
import { describe, expect, it } from "vitest";
import { aiNewDestination } from "../../src/detect/ai-new-destination.ts";
import { aiToolFanout } from "../../src/detect/ai-tool-fanout.ts";
import type { Anomaly, DetectorDefinition } from "../../src/detect/detector.ts";
import { DetectionBench, type Step } from "../support/detection-bench.ts";
import { aiAgentRow, anAgentsDay, destinationRow } from "../support/gallery-ai.ts";
import { drops } from "../support/windows.ts";

type Row = ReturnType<typeof destinationRow>;

interface Reply {
  readonly agent?: Parameters<typeof aiAgentRow>[0];
  readonly delayMs?: number;
  readonly capture?: Step["capture"];
}

/** A bench that has seen a day of one agent. */
function afterADay(detector: DetectorDefinition<unknown>): DetectionBench {
  const bench = new DetectionBench({ detectors: [detector] });
  anAgentsDay(bench);
  return bench;
}

/** A reply ends, and a second later these connections begin. */
function reply(
  bench: DetectionBench,
  rows: readonly Partial<Row>[],
  { agent = {}, delayMs = 1000, capture = {} }: Reply = {},
): Anomaly[] {
  const repliedMs = bench.timeMs;
  const step: Step = {
    capture,
    rows: {
      ai_agents: [aiAgentRow({ calls: 1, repliedMs, ...agent })],
      ai_destinations: rows.map((row) => destinationRow({ startMs: repliedMs + delayMs, ...row })),
    },
  };
  return bench.step(step);
}

const fan = (count: number, parts: Partial<Row> = {}): Partial<Row>[] =>
  Array.from({ length: count }, (_, at) => ({ destination: `d${at}.example`, ...parts }));

describe("ai_new_destination", () => {
  const stolen = { destination: "evil.example", upBytes: 40_000 };

  it("tells of data that goes where nobody went, right after a reply", () => {
    const bench = afterADay(aiNewDestination);
    expect(reply(bench, [stolen])).toMatchObject([
      {
        ...{ detector: "ai_new_destination", severity: "warning", observed: 40_000 },
        entity: { source: "10.0.0.5", domain: "evil.example", destination: "198.51.100.40" },
        threshold: { setting: "detectors.ai_new_destination.bytes" },
      },
    ]);
    bench.run(300);
    expect(reply(bench, [stolen])).toEqual([]);
  });

  it("adds up what is carried in two minutes, and takes a bare address too", () => {
    const bench = afterADay(aiNewDestination);
    const bare = { destination: "198.51.100.9", isNamed: false, upBytes: 3000 };
    expect(reply(bench, [bare])).toEqual([]);
    bench.step({
      rows: {
        ai_agents: [aiAgentRow({})],
        ai_destinations: [destinationRow({ ...bare, begun: 0, downBytes: 0, upBytes: 9000 })],
      },
    });
    expect(bench.events).toMatchObject([
      { detector: "ai_new_destination", entity: { key: "10.0.0.5 198.51.100.9" } },
    ]);
  });

  it("takes a reply whose end is told late", () => {
    const bench = afterADay(aiNewDestination);
    const startMs = bench.timeMs + 1000;
    bench.step({ rows: { ai_destinations: [destinationRow({ ...stolen, startMs })] } });
    bench.run(8);
    expect(bench.events).toEqual([]);
    bench.step({
      rows: { ai_agents: [aiAgentRow({ calls: 1, repliedMs: startMs - 900 })] },
    });
    expect(bench.events).toMatchObject([{ detector: "ai_new_destination", state: "open" }]);
  });

  it.each<[string, Partial<Row>, object]>([
    ["where it went before", { ...stolen, destination: "example.org" }, {}],
    ["where others go", { ...stolen, clients: 2 }, {}],
    ["that never answered", { ...stolen, answered: 0 }, {}],
    ["that is a provider's", { ...stolen, isProvider: true }, {}],
    ["that is a registry of packages", { ...stolen, destination: "npmjs.org" }, {}],
    ["inside", { ...stolen, server: "10.0.0.99" }, {}],
    ["to which little goes", { ...stolen, upBytes: 1500, downBytes: 100 }, {}],
    ["from which more comes", { ...stolen, upBytes: 3000, downBytes: 90_000 }, {}],
    ["minutes after the reply", stolen, { delayMs: 40_000 }],
    ["where no agent is at work", stolen, { agent: { isActive: false } }],
  ])("is silent about a place %s", (_, row, options) => {
    const bench = afterADay(aiNewDestination);
    reply(bench, [row], options);
    bench.run(20);
    expect(bench.events).toEqual([]);
  });

  it("is silent about hosts that go to new places all the time, and until it knows a host", () => {
    const restless = afterADay(aiNewDestination);
    for (let at = 0; at < 200; at++) {
      restless.step({
        seconds: 60,
        rows: { ai_destinations: [destinationRow({ destination: `n${at}.example` })] },
      });
    }
    reply(restless, [stolen]);
    expect(restless.events).toEqual([]);
    const fresh = new DetectionBench({ detectors: [aiNewDestination] });
    fresh.run(10);
    reply(fresh, [stolen]);
    expect(fresh.events).toEqual([]);
  });
});

describe("ai_tool_fanout", () => {
  it("tells of many domains at once after a reply", () => {
    const bench = afterADay(aiToolFanout);
    expect(reply(bench, fan(20))).toMatchObject([
      {
        ...{ detector: "ai_tool_fanout", observed: 20, expected: 1 },
        threshold: { setting: "detectors.ai_tool_fanout.domains" },
      },
    ]);
  });

  it.each<[string, Partial<Row>[], object]>([
    ["few domains", fan(14), {}],
    ["one domain many times", fan(30, { destination: "one.example" }), {}],
    ["domains that do not answer", fan(30, { answered: 0 }), {}],
    ["a browser's", fan(30, { family: "chromium" }), {}],
    ["addresses without names", fan(30, { isNamed: false }), {}],
    ["domains long after", fan(30), { delayMs: 11_000 }],
    ["domains where no agent is at work", fan(30), { agent: { isActive: false } }],
  ])("is silent about %s", (_, rows, options) => {
    const bench = afterADay(aiToolFanout);
    reply(bench, rows, options);
    expect(bench.events).toEqual([]);
  });

  /** Twenty domains an hour for a day and more. */
  function daily(bench: DetectionBench, options: Reply): void {
    for (let hour = 0; hour < 30; hour++) {
      reply(bench, fan(20), options);
      bench.step({ seconds: 3599 });
    }
  }

  it("is silent about a host that does so every hour", () => {
    const bench = new DetectionBench({ detectors: [aiToolFanout] });
    daily(bench, {});
    expect(bench.events).toEqual([]);
  });

  it("learns nothing of windows with loss", () => {
    const bench = afterADay(aiToolFanout);
    daily(bench, { capture: { dropped: drops({ ring: 1_000 }) } });
    expect(reply(bench, fan(20))).toMatchObject([{ detector: "ai_tool_fanout", expected: 1 }]);
  });
});
