// SPDX-License-Identifier: AGPL-3.0-or-later
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { answeredCaptures, readCapture } from "../../decode/captures.ts";
import { CallBench } from "../../support/ai-calls.ts";
import { DetectionBench } from "../../support/detection-bench.ts";
import { sharedData } from "../../support/shared-data.ts";
import { windowsOf } from "../../support/windows-of.ts";

const AGENT_LOOP = "ai/llm-openai-node-agentloop-tls13.pcap";

const folder = sharedData();

async function callsIn(capture: string): Promise<CallBench> {
  const bench = new CallBench();
  await readCapture(join(folder ?? "", capture), (frame) => bench.frame(frame));
  bench.finish();
  return bench;
}

describe.skipIf(folder === null)("AI calls in the reference captures", () => {
  it("counts the calls of an agent loop over two connections, what each sent, and the loop", async () => {
    const bench = await callsIn(AGENT_LOOP);
    const calls = [...bench.calls].sort((a, b) => a.startMs - b.startMs);
    expect(calls.map(({ upBytes }) => upBytes)).toEqual([
      1147, 1559, 1927, 2409, 2926, 3478, 4065, 4687,
    ]);
    expect(calls.filter(({ isStream }) => isStream)).toHaveLength(8);
    expect(bench.counter("nam_ai_calls_total", { provider: "none", transport: "tls_h1" })).toBe(8);
    expect(bench.counter("nam_ai_stream_episodes_total", { category: "none", known: "no" })).toBe(
      8,
    );
    // The first reply begins 300 ms after its request; session tickets before it are none of it.
    expect(calls[0]?.ttftMs).toBeCloseTo(300.6, 0);
    const loops = bench.windows.flatMap(({ ai_agents }) => ai_agents.filter((row) => row.hasLoop));
    expect(new Set(loops.map(({ client }) => client))).toEqual(new Set(["127.0.0.1"]));
  });

  it("knows the two fingerprints of that agent's client, the second of which resumes", async () => {
    const windows = await windowsOf(join(folder ?? "", AGENT_LOOP));
    const fingerprints = windows.flatMap(({ tallies }) => tallies["tls.ja4"] ?? []);
    expect(fingerprints.map(([ja4]) => ja4).sort()).toEqual([
      "t13d5911h1_a33745022dd6_1f22a2ca17c4",
      "t13d5912h1_a33745022dd6_dbd39dd1d406",
    ]);
  });

  it("tells of that agent's model, which nobody listed, and of nothing else", async () => {
    const { windows } = await callsIn(AGENT_LOOP);
    const detection = new DetectionBench();
    for (const rows of windows) detection.step({ rows });
    const opened = detection.events.filter(({ state }) => state === "open");
    expect(opened.filter(({ detector }) => detector.startsWith("ai_"))).toMatchObject([
      {
        ...{ detector: "ai_unknown_stream", severity: "warning" },
        entity: { key: "127.0.0.1 localhost:18451" },
      },
    ]);
  });

  it.each(
    folder === null ? [] : answeredCaptures(folder).filter((capture) => capture !== AGENT_LOOP),
  )("finds no provider, no call and no token stream in %s", async (capture) => {
    const bench = await callsIn(capture);
    expect(bench.calls).toEqual([]);
    expect(bench.windows.flatMap(({ ai_flows }) => ai_flows)).toEqual([]);
  });
});
