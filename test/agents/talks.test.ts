// SPDX-License-Identifier: AGPL-3.0-or-later
// Real clients and servers of every protocol of agents and language models, through the whole pipeline.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { Replay, type ReplayResult } from "../../src/replay.ts";
import { createLog } from "../../src/util/log.ts";
import { recordTalks, TALKS, type TalkName } from "../support/agent-talks.ts";
import { windowsOf } from "../support/windows-of.ts";

const folder = mkdtempSync(join(tmpdir(), "nam-agents-"));
afterAll(() => rmSync(folder, { recursive: true }));

const NAMES = Object.keys(TALKS) as TalkName[];
const INSIDE = { client: "10.0.0.5", server: "10.0.0.80", port: 8000 };

function replay(): Replay {
  const { config } = loadConfig({ env: {}, flags: [] });
  return new Replay({
    ...{ detect: config.detectors, home: config.networks.home, agent: "test" },
    ...{ flowCapacity: 4096, top: 10, speed: null },
    log: createLog({ level: "silent", format: "json" }),
  });
}

async function replayed(capture: Buffer, by = replay()): Promise<ReplayResult["report"]> {
  const path = join(folder, "talks.pcap");
  writeFileSync(path, capture);
  return (await by.run([path])).report;
}

function messages({ ai }: ReplayResult["report"]): Record<string, number> {
  return Object.fromEntries(
    ai.protocols.map(({ protocol, kind, count }) => [`${protocol} ${kind}`, count]),
  );
}

function eventsOf(report: ReplayResult["report"], detector: string): string[] {
  return report.events
    .filter((event) => event.detector === detector && event.state === "open")
    .map(({ severity, protocol }) => `${severity} ${protocol}`);
}

describe("talks of agents and language models", () => {
  it.each(NAMES)(
    "of %s are counted to the message, in whole segments and in small ones",
    async (name) => {
      for (const segmentBytes of [1448, 100]) {
        const report = await replayed(await recordTalks([name], INSIDE, segmentBytes));
        expect(messages(report)).toEqual(TALKS[name]);
        expect(report.files[0]).toMatchObject({ truncated: 0, malformed: 0, error: null });
      }
    },
  );

  it("with a deceitful header are counted as such", async () => {
    const by = replay();
    await replayed(await recordTalks(["mcp2026"], INSIDE), by);
    const { body } = await by.core.registry.text(false);
    expect(body).toContain("\nnam_agent_header_mismatches_total 1\n");
  });

  it("without a password are told by how far away the client is", async () => {
    const open = ["mcpStream", "ollama"] as const;
    const near = await replayed(await recordTalks(open, INSIDE));
    const warnings = ["warning mcp_stream", "warning ollama", "warning openai_rest"];
    expect(eventsOf(near, "ai_server_exposed").sort()).toEqual(warnings);
    const far = await replayed(await recordTalks(open, { ...INSIDE, client: "203.0.113.9" }));
    const critical = ["critical mcp_stream", "critical ollama", "critical openai_rest"];
    expect(eventsOf(far, "ai_server_exposed").sort()).toEqual(critical);
    const here = { client: "127.0.0.1", server: "127.0.0.1", port: 8000 };
    const local = await replayed(await recordTalks(open, here));
    expect(eventsOf(local, "ai_server_exposed")).toEqual([]);
  });

  it("with a metadata service are noticed, and whether they have the header that it asks for", async () => {
    const path = join(folder, "metadata.pcap");
    const cloud = { client: "10.0.0.5", server: "169.254.169.254", port: 80 };
    writeFileSync(path, await recordTalks(["metadata"], cloud));
    const rows = (await windowsOf(path)).flatMap((window) => window.rows.metadata_asks);
    expect(rows).toEqual([
      { client: cloud.client, server: cloud.server, connections: 1, requests: 3, bare: 1 },
    ]);
    writeFileSync(path, await recordTalks(["metadata"], INSIDE));
    expect((await windowsOf(path)).flatMap(({ rows: { metadata_asks: asks } }) => asks)).toEqual(
      [],
    );
  });

  it("with a bare address on the internet are told", async () => {
    const outside = { ...INSIDE, server: "203.0.113.80" };
    const report = await replayed(await recordTalks(["mcpStream"], outside));
    expect(eventsOf(report, "ai_direct_ip")).toEqual(["warning mcp_stream"]);
    expect(eventsOf(report, "ai_server_exposed")).toEqual([]);
    const near = await replayed(await recordTalks(["mcpStream"], INSIDE));
    expect(eventsOf(near, "ai_direct_ip")).toEqual([]);
  });
});
