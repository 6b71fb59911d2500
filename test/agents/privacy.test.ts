// SPDX-License-Identifier: AGPL-3.0-or-later
// Prompts, keys, names of tools, arguments, sessions and models in clear text appear in nothing that the product says.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Alert } from "../../src/alert/alert.ts";
import { EventStore } from "../../src/alert/event-store.ts";
import { Outbox } from "../../src/alert/outbox/outbox.ts";
import { BaselineStore } from "../../src/baseline-store.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Core } from "../../src/core.ts";
import type { Anomaly } from "../../src/detect/detector.ts";
import type { Window } from "../../src/flow/window.ts";
import { channels } from "../../src/notify/all.ts";
import { Replay } from "../../src/replay.ts";
import { serveReplay } from "../../src/replay-server.ts";
import { systemClock } from "../../src/util/clock.ts";
import { CANARIES } from "../support/agent-client.ts";
import { recordTalks, TALKS, type TalkName } from "../support/agent-talks.ts";
import { createBench } from "../support/alert-bench.ts";
import { alertOf } from "../support/anomalies.ts";
import { builtProgram } from "../support/built.ts";
import { tracesIn } from "../support/canaries.ts";
import { messagesOf } from "../support/channel-messages.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { root } from "../support/project.ts";
import { windowsOf } from "../support/windows-of.ts";

const folder = mkdtempSync(join(tmpdir(), "nam-privacy-"));
const capture = join(folder, "talks.pcap");
const logLines: string[] = [];
const log = pino({ level: "trace" }, { write: (line: string) => void logLines.push(line) });
const windows: Window[] = [];
const events: Anomaly[] = [];
let core: Core;

function expectNothing(text: string | Buffer, what: string): void {
  expect(tracesIn(text), what).toEqual([]);
}

beforeAll(async () => {
  const names = Object.keys(TALKS) as TalkName[];
  const ends = { client: "203.0.113.9", server: "10.0.0.80", port: 8000 };
  writeFileSync(capture, await recordTalks(names, ends));
  const { config } = loadConfig({ env: {}, flags: [] });
  core = new Core({ detect: config.detectors, home: config.networks.home, agent: "a", log });
  windows.push(...(await windowsOf(capture)));
  for (const window of windows) events.push(...core.accept(window, null));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe("secrets in clear text", () => {
  it("are in the capture, every one of them, and what they are said in is noticed", () => {
    const bytes = readFileSync(capture).toString("latin1");
    for (const secret of Object.values(CANARIES)) expect(bytes).toContain(secret);
    const protocols = new Set(
      windows.flatMap(({ rows }) => rows.agent_talks.map(({ protocol }) => protocol)),
    );
    expect(protocols.size).toBe(8);
    expect(
      events.filter(({ detector }) => detector === "ai_server_exposed").length,
    ).toBeGreaterThan(5);
  });

  it("are not in windows, which the sensor hands to the monitor", () => {
    expectNothing(JSON.stringify(windows), "windows");
  });

  it("are not in metrics, events and logs", async () => {
    expectNothing((await core.registry.text(false)).body, "metrics");
    expectNothing((await core.registry.text(true)).body, "OpenMetrics");
    expectNothing(JSON.stringify(events), "events");
    expectNothing(logLines.join(""), "log");
  });

  it("are in no message of any channel", () => {
    const told = new Set(Object.keys(messagesOf(alertOf())).map((name) => name.split(" ")[0]));
    expect([...told].sort()).toEqual(channels.map(({ type }) => type).sort());
    for (const anomaly of events) {
      const alert: Alert = alertOf({ anomalies: [anomaly], severity: anomaly.severity });
      for (const [channel, message] of Object.entries(messagesOf(alert))) {
        expectNothing(message, channel);
      }
    }
  });

  it("are not on the disk: neither among events, baselines, nor in the outbox", async () => {
    const directory = join(folder, "storage");
    mkdirSync(directory);
    new EventStore(directory, log).add(events);
    await new BaselineStore({
      ...{ directory, engine: core.engine, registry: core.registry, clock: systemClock, log },
    }).save();
    const clock = new FakeClock(Date.now());
    const outbox = await Outbox.open({ directory, limitBytes: 2 ** 26, clock, log });
    const bench = createBench({ outbox, clock });
    bench.router.accept(events);
    await bench.router.stop(0);
    await outbox.close();
    const files = readdirSync(directory);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) expectNothing(readFileSync(join(directory, file)), file);
    expectNothing(logLines.join(""), "log");
  });

  it("are not in what a replay prints and writes", () => {
    const paths = ["report.json", "metrics.txt", "events.ndjson"].map((name) => join(folder, name));
    const [report = "", metrics = "", told = ""] = paths;
    const flags = ["--report", report, "--metrics", metrics, "--events", told];
    const level = ["--report.top", "0", "--log.level", "debug"];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [builtProgram(), "replay", ...flags, ...level, capture],
      { cwd: root, encoding: "utf8" },
    );
    expect(status, stderr).toBe(0);
    expect(readFileSync(report, "utf8")).toContain("mcp_2026");
    expectNothing(stdout, "stdout");
    expectNothing(stderr, "stderr");
    for (const path of paths) expectNothing(readFileSync(path), path);
  }, 60_000);

  it("are not on the page and in the API", async () => {
    const loaded = loadConfig({ env: {}, flags: [] });
    const { config } = loaded;
    const replay = new Replay({
      ...{ detect: config.detectors, home: config.networks.home, agent: "a", log },
      ...{ flowCapacity: 4096, top: 0, speed: null },
    });
    await replay.run([capture]);
    const web = { ...config.web, listen_address: ["127.0.0.1:0"] };
    const server = await serveReplay(replay, { ...loaded, config: { ...config, web } }, log);
    try {
      const paths = ["/", "/metrics", "/config", "status", "events", "alerts", "silences"];
      for (const path of paths) {
        const url = path.startsWith("/") ? path : `/api/v1/${path}`;
        const response = await fetch(`${server.addresses[0]}${url}`);
        const text = await response.text();
        expect(response.status, url).toBe(200);
        expectNothing(text, url);
      }
    } finally {
      await server.close();
    }
  });
});
