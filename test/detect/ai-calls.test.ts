// SPDX-License-Identifier: AGPL-3.0-or-later
// Detectors that judge calls, each beside what is harmless and looks like it.
import { describe, expect, it } from "vitest";
import { aiBeacon } from "../../src/detect/ai-beacon.ts";
import { aiDirectIp } from "../../src/detect/ai-direct-ip.ts";
import { aiRunawayLoop } from "../../src/detect/ai-runaway-loop.ts";
import { aiUnknownStream } from "../../src/detect/ai-unknown-stream.ts";
import { aiUploadJump } from "../../src/detect/ai-upload-jump.ts";
import type { Anomaly } from "../../src/detect/detector.ts";
import { DetectionBench, randomOf, type Step } from "../support/detection-bench.ts";
import { aiAgentRow, aiCallRow, intervals, streamRow } from "../support/gallery-ai.ts";

type CallRow = ReturnType<typeof aiCallRow>;
const calls = (...rows: readonly CallRow[]): Step => ({ rows: { ai_calls: rows } });
const opened = ({ events }: DetectionBench): Anomaly[] =>
  events.filter(({ state }) => state === "open");

/** Hours in which a host makes so many calls every five minutes, and then a pause. */
function usual(bench: DetectionBench, hours: number, row: Partial<CallRow>): void {
  bench.run(12 * hours, { seconds: 300, ...calls(aiCallRow(row)) });
  bench.step({ seconds: 300 });
}

describe("ai_runaway_loop", () => {
  const bench = (settings = {}): DetectionBench =>
    new DetectionBench({ detectors: [aiRunawayLoop], settings: { ai_runaway_loop: settings } });
  const minutes = (one: DetectionBench, count: number, row: Partial<CallRow>): Anomaly[] =>
    one.run(count, { seconds: 60, ...calls(aiCallRow(row)) });

  it("tells of many more calls than usual that do not end", () => {
    const one = bench();
    usual(one, 25, { calls: 10 });
    expect(minutes(one, 3, { calls: 60 })).toEqual([]);
    expect(minutes(one, 1, { calls: 60 })).toMatchObject([
      {
        ...{ severity: "warning", expected: 10 },
        entity: { key: "10.0.0.5 openai", source: "10.0.0.5" },
        threshold: { setting: "detectors.ai_runaway_loop.score" },
      },
    ]);
  });

  it("tells of calls that are somewhat more than usual, again and again", () => {
    const one = bench();
    // A hundred in five minutes are usual, with a deviation of ten.
    usual(one, 25, { calls: 100 });
    expect(minutes(one, 15, { calls: 26 })).toEqual([]);
    minutes(one, 25, { calls: 26 });
    expect(opened(one)).toMatchObject([
      {
        ...{ severity: "warning", expected: 100, observed: 130 },
        threshold: { value: 8, setting: "detectors.ai_runaway_loop.drift" },
      },
    ]);
  });

  it("ends a quarter of an hour after a surge at the latest, however long and high that was", () => {
    const one = bench();
    usual(one, 25, { calls: 80 });
    minutes(one, 60, { calls: 48 });
    expect(opened(one)).toHaveLength(1);
    expect(one.events.some(({ state }) => state === "resolved")).toBe(false);
    expect(minutes(one, 15, { calls: 16 }).at(-1)).toMatchObject({ state: "resolved" });
    const later = one.events.length;
    minutes(one, 120, { calls: 16 });
    expect(one.events).toHaveLength(later);
  });

  it("never calls usual calls a loop, whatever was before", () => {
    const one = bench();
    usual(one, 25, { calls: 80 });
    minutes(one, 60, { calls: 48 });
    minutes(one, 60, { calls: 16 });
    const told = one.events.filter(({ state }) => state !== "resolved");
    expect(Math.min(...told.map(({ observed }) => observed))).toBeGreaterThan(88);
  });

  it("does not hold a surge against calls that are somewhat more than usual half an hour later", () => {
    const one = bench();
    usual(one, 25, { calls: 80 });
    minutes(one, 60, { calls: 48 });
    minutes(one, 30, { calls: 16 });
    expect(minutes(one, 5, { calls: 22 })).toEqual([]);
  });

  it("is silent where there are no more than a deviation, or where there is a pause", () => {
    const one = bench();
    usual(one, 25, { calls: 100 });
    minutes(one, 55, { calls: 22 });
    for (let round = 0; round < 4; round++) {
      minutes(one, 15, { calls: 26 });
      one.run(2, { seconds: 300 });
    }
    expect(one.events).toEqual([]);
  });

  it("is critical where an agent's loop is seen too", () => {
    const one = bench();
    usual(one, 25, { calls: 10 });
    const rows = {
      ai_calls: [aiCallRow({ calls: 60 })],
      ai_agents: [aiAgentRow({ hasLoop: true })],
    };
    expect(one.run(5, { seconds: 60, rows })).toMatchObject([{ severity: "critical" }]);
  });

  it.each<[string, Partial<CallRow>, object]>([
    ["as many as ever", { calls: 12 }, {}],
    ["too few to matter", { calls: 11 }, { calls: 100 }],
    ["to what is called by design", { calls: 90, category: "telemetry" }, {}],
    ["of a proxy", { calls: 90 }, { shared_addresses: ["10.0.0.5"] }],
  ])("is silent about calls that are %s", (_, row, settings) => {
    const one = bench(settings);
    usual(one, 25, { ...row, calls: row.calls === 12 ? 60 : 10 });
    minutes(one, 10, row);
    expect(one.events).toEqual([]);
  });

  it("is silent about a burst, and about a host not known for a day", () => {
    const one = bench();
    usual(one, 25, { calls: 10 });
    minutes(one, 1, { calls: 400 });
    minutes(one, 6, { calls: 2 });
    expect(one.events).toEqual([]);
    const fresh = bench();
    minutes(fresh, 20, { calls: 60 });
    expect(fresh.events).toEqual([]);
    minutes(fresh, 5, { calls: 300 });
    expect(opened(fresh)).toMatchObject([
      { threshold: { setting: "detectors.ai_runaway_loop.calls_always" } },
    ]);
  });

  it("does not learn while packets are lost", () => {
    const one = bench();
    const dropped = { kernel: 500, ring: 0, shed: 0, ipc: 0 };
    one.run(12 * 25, { seconds: 300, ...calls(aiCallRow({ calls: 10 })), capture: { dropped } });
    minutes(one, 10, { calls: 60 });
    expect(one.events).toEqual([]);
  });
});

describe("ai_upload_jump", () => {
  const bench = (): DetectionBench => new DetectionBench({ detectors: [aiUploadJump] });

  it("tells of an hour, and of a call, far beyond the usual", () => {
    const one = bench();
    usual(one, 25, { upBytes: 50_000 });
    one.run(30, { seconds: 60, ...calls(aiCallRow({ upBytes: 2e6 })) });
    expect(opened(one)).toMatchObject([{ severity: "warning", window_s: 3600 }]);
    const call = bench();
    usual(call, 25, { upBytes: 50_000 });
    call.step(calls(aiCallRow({ upBytes: 6e6 })));
    expect(opened(call)).toMatchObject([{ observed: 6e6, expected: 50_000 }]);
  });

  it.each<[string, number, Partial<CallRow>]>([
    ["who always sends as much", 8e6, { upBytes: 9e6 }],
    ["whose jump is small", 50_000, { upBytes: 4e6 }],
    ["who sends more than it gets, as agents do", 5e5, { upBytes: 6e5, downBytes: 100 }],
    ["of whose target nobody knows whose it is", 50_000, { upBytes: 9e7, provider: "none" }],
  ])("is silent about a host %s", (_, before, row) => {
    const one = bench();
    usual(one, 25, { ...row, upBytes: before });
    one.step(calls(aiCallRow(row)));
    expect(one.events).toEqual([]);
  });

  it("is silent until a day and six hours with calls are known", () => {
    const one = bench();
    usual(one, 3, { upBytes: 50_000 });
    one.run(25, { seconds: 3600 });
    one.step(calls(aiCallRow({ upBytes: 9e7 })));
    expect(one.events).toEqual([]);
  });
});

describe("ai_unknown_stream and ai_direct_ip", () => {
  const bench = (): DetectionBench =>
    new DetectionBench({ detectors: [aiUnknownStream, aiDirectIp] });
  const told = (one: DetectionBench): string[] =>
    opened(one)
      .map(({ detector, severity, entity }) => `${detector} ${severity} ${entity.key}`)
      .sort();

  it("tell of three streams within an hour, by what is known of the server and the client", () => {
    const one = bench();
    const rows = [
      streamRow({ host: "w.example.net", family: "other" }),
      streamRow({ host: "api.example.net", family: "other", client: "10.0.0.6" }),
      streamRow({ host: "w.example.net", family: "node", client: "10.0.0.7" }),
      streamRow({ host: "", family: "chromium", client: "10.0.0.8" }),
      streamRow({ host: "", family: "go", client: "10.0.0.9" }),
      streamRow({ host: "", family: "go", server: "192.168.1.9" }),
    ];
    one.run(2, { seconds: 600, ...calls(...rows) });
    expect(one.events).toEqual([]);
    one.step(calls(...rows));
    expect(told(one)).toEqual([
      "ai_direct_ip info 10.0.0.8 198.51.100.30 443",
      "ai_direct_ip warning 10.0.0.9 198.51.100.30 443",
      "ai_unknown_stream info 10.0.0.5 w.example.net:443",
      "ai_unknown_stream warning 10.0.0.5 192.168.1.9:443",
      "ai_unknown_stream warning 10.0.0.6 api.example.net:443",
      "ai_unknown_stream warning 10.0.0.7 w.example.net:443",
    ]);
  });

  it("tell of a named server on the internet in clear text, too, and of no model of the own network", () => {
    const one = bench();
    const plain = { family: "", protocol: "http", port: 8000 } as const;
    const rows = [
      streamRow({ ...plain, host: "box.example.net" }),
      streamRow({ ...plain, host: "llm.example.net", client: "10.0.0.6" }),
      streamRow({ ...plain, host: "llm.corp.example", server: "10.0.0.80", port: 11_434 }),
      streamRow({ ...plain, host: "localhost", server: "127.0.0.1", client: "127.0.0.1" }),
      streamRow({ ...plain, host: "", client: "10.0.0.7" }),
    ];
    one.run(3, { seconds: 600, ...calls(...rows) });
    expect(told(one)).toEqual([
      "ai_unknown_stream info 10.0.0.5 box.example.net:8000",
      "ai_unknown_stream warning 10.0.0.6 llm.example.net:8000",
    ]);
    for (const { explanation, evidence } of opened(one)) {
      expect(explanation).toContain("in clear text");
      expect(evidence.join()).not.toMatch(/TLS/);
    }
  });

  it("take a public address of the own network for a server of one's own", () => {
    const one = new DetectionBench({
      detectors: [aiUnknownStream, aiDirectIp],
      context: { isHome: (address) => address === "198.51.100.30" },
    });
    const plain = { family: "", protocol: "http", port: 8000, client: "10.0.0.6" } as const;
    const rows = [
      streamRow({ host: "", family: "go" }),
      streamRow({ ...plain, host: "llm.example.net" }),
    ];
    one.run(3, { seconds: 600, ...calls(...rows) });
    expect(told(one)).toEqual(["ai_unknown_stream warning 10.0.0.5 198.51.100.30:443"]);
  });

  it("are silent about known providers, and about streams that are hours apart", () => {
    const one = bench();
    one.run(9, calls(aiCallRow({ streams: 3 })));
    one.run(9, { seconds: 2400, ...calls(streamRow({})) });
    expect(one.events).toEqual([]);
  });
});

describe("ai_beacon", () => {
  const bench = (): DetectionBench => new DetectionBench({ detectors: [aiBeacon] });
  const hours = (one: DetectionBench, count: number, step: (at: number) => Step): void =>
    void one.run(count * 6, (at) => ({ seconds: 600, ...step(at) }));
  const steady = (parts: Partial<CallRow> = {}): Step =>
    calls(aiCallRow({ intervalsMs: intervals(32, 600_000, 0.2), ...parts }));

  it("tells of a rhythm that lasts for hours, jitter allowed for", () => {
    const one = bench();
    hours(one, 2, () => steady());
    expect(one.events).toEqual([]);
    hours(one, 2, () => steady());
    expect(opened(one)).toMatchObject([
      { severity: "warning", threshold: { setting: "detectors.ai_beacon.score" } },
    ]);
  });

  it("is only worth knowing where three hosts do it", () => {
    const one = bench();
    const rows = ["10.0.0.5", "10.0.0.6", "10.0.0.7"].map((client) =>
      aiCallRow({ client, intervalsMs: intervals(32, 600_000) }),
    );
    hours(one, 4, () => calls(...rows));
    expect(opened(one).map(({ severity }) => severity)).toEqual(["warning", "warning", "info"]);
  });

  it.each<[string, (at: number) => Step]>([
    ["answers in token streams", () => steady({ streams: 1 })],
    ["calls too fast", () => steady({ intervalsMs: intervals(32, 5000) })],
    ["calls too few times", () => steady({ intervalsMs: intervals(20, 600_000) })],
    ["reports telemetry", () => steady({ category: "telemetry" })],
    ["calls what is nobody's known", () => steady({ provider: "none" })],
    [
      "is an agent's loop",
      () => ({
        rows: { ...steady().rows, ai_agents: [aiAgentRow({ hasLoop: true })] },
      }),
    ],
    ["sends now little and now much", (at) => steady({ upBytes: at % 2 === 0 ? 40_000 : 900 })],
  ])("is silent where a host %s", (_, step) => {
    const one = bench();
    hours(one, 8, step);
    expect(one.events).toEqual([]);
  });

  it("is silent about people, who call when they like", () => {
    const random = randomOf(4);
    const one = bench();
    hours(one, 48, () =>
      calls(
        aiCallRow({
          intervalsMs: Array.from({ length: 32 }, () => -600_000 * Math.log(1 - random())),
          upBytes: Math.round(800 + 4000 * random()),
        }),
      ),
    );
    expect(one.events).toEqual([]);
  });
});
