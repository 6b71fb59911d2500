// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Frame } from "../../../src/capture/source.ts";
import { readCapture } from "../../decode/captures.ts";
import { CallBench } from "../../support/ai-calls.ts";
import { AGENT_LOOP } from "../../support/ai-captures.ts";
import { DetectionBench } from "../../support/detection-bench.ts";
import { sharedData } from "../../support/shared-data.ts";
import { windowsOf } from "../../support/windows-of.ts";

const SERVER_PORT = 18_451;
const SOURCE_PORT_AT = 34;
const DESTINATION_PORT_AT = 36;

const folder = sharedData();

async function callsIn(capture: string, isWanted = (_: Frame) => true): Promise<CallBench> {
  const bench = new CallBench();
  await readCapture(join(folder ?? "", capture), (frame) => {
    if (isWanted(frame)) bench.frame(frame);
  });
  bench.finish();
  return bench;
}

interface Label {
  readonly path: string;
  readonly connections: number;
  readonly calls: number;
  readonly stream_hits: number;
  readonly agent_loops: number;
  readonly request_bytes_merged_in_time_order: readonly number[];
  readonly ja4: readonly string[];
}

function labelOfLoop(): Label {
  const text = readFileSync(join(folder ?? "", "ai/labels.json"), "utf8");
  const { captures } = JSON.parse(text) as { captures: readonly Label[] };
  const label = captures.find(({ path }) => AGENT_LOOP.endsWith(path));
  if (label === undefined) throw new Error(`no label of ${AGENT_LOOP}`);
  return label;
}

/** Port of the client in a frame of the agent loop: Ethernet, IPv4 without options, TCP. */
function clientPort({ view, start }: Frame): number {
  const source = view.getUint16(start + SOURCE_PORT_AT);
  return source === SERVER_PORT ? view.getUint16(start + DESTINATION_PORT_AT) : source;
}

describe.skipIf(folder === null)("AI calls in the reference captures", () => {
  it("are those of an agent loop that the label file says, with what each sent, and the loop", async () => {
    const label = labelOfLoop();
    expect(label).toMatchObject({ connections: 2, calls: 8, stream_hits: 8, agent_loops: 1 });
    const bench = await callsIn(AGENT_LOOP);
    const calls = [...bench.calls].sort((a, b) => a.startMs - b.startMs);
    expect(calls.map(({ upBytes }) => upBytes)).toEqual(label.request_bytes_merged_in_time_order);
    expect(bench.counter("nam_ai_calls_total")).toBe(label.calls);
    expect(bench.counter("nam_ai_calls_total", { provider: "none", transport: "tls_h1" })).toBe(
      label.calls,
    );
    expect(calls.filter(({ isStream }) => isStream)).toHaveLength(label.stream_hits);
    const streams = { category: "none", known: "no" };
    expect(bench.counter("nam_ai_stream_episodes_total", streams)).toBe(label.stream_hits);
    // The first reply begins 300 ms after its request; session tickets before it are none of it.
    expect(calls[0]?.ttftMs).toBeCloseTo(300.6, 0);
    const loops = bench.windows.flatMap(({ ai_agents }) => ai_agents.filter((row) => row.hasLoop));
    const found = new Set(loops.map(({ client }) => client));
    expect([...found]).toEqual(["127.0.0.1"]);
    expect(found.size).toBe(label.agent_loops);
  });

  it("are spread over two connections, half of them on each", async () => {
    const ports = new Set<number>();
    await readCapture(join(folder ?? "", AGENT_LOOP), (frame) => ports.add(clientPort(frame)));
    const label = labelOfLoop();
    expect(ports.size).toBe(label.connections);
    for (const port of ports) {
      const bench = await callsIn(AGENT_LOOP, (frame) => clientPort(frame) === port);
      expect(bench.counter("nam_flows_started_total", { protocol: "tcp" })).toBe(1);
      expect(bench.calls).toHaveLength(label.calls / label.connections);
    }
  });

  it("come from a client with the two fingerprints of the label file, the second of which resumes", async () => {
    const windows = await windowsOf(join(folder ?? "", AGENT_LOOP));
    const fingerprints = windows.flatMap(({ tallies }) => tallies["tls.ja4"] ?? []);
    expect(fingerprints).toEqual(labelOfLoop().ja4.map((ja4) => [ja4, 1]));
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
});
