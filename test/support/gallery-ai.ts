// SPDX-License-Identifier: AGPL-3.0-or-later
// Events of detectors of how agents behave whose traffic is encrypted.
import type { TrackerRows } from "../../src/flow/window.ts";
import { DetectionBench, type Step } from "./detection-bench.ts";

type Row<Name extends keyof TrackerRows> = TrackerRows[Name][number];

/** Calls of one client to one provider in a window; to nobody's server where `provider` is none. */
export function aiCallRow(parts: Partial<Row<"ai_calls">>): Row<"ai_calls"> {
  const { calls = 1, upBytes = 2000 } = parts;
  return {
    ...{ client: "10.0.0.5", provider: "openai", category: "llm_api", server: "198.51.100.20" },
    ...{ port: 443, host: "api.openai.com", protocol: "tls", family: "python", calls, streams: 0 },
    ...{ upBytes, downBytes: 9000, largestUpBytes: upBytes / calls, intervalsMs: [] },
    ...parts,
  };
}

/** Token streams from a server that is no provider's. */
export function streamRow(parts: Partial<Row<"ai_calls">>): Row<"ai_calls"> {
  const nobody = { provider: "none", category: "none", host: "llm.example.net", streams: 1 };
  return aiCallRow({ ...nobody, server: "198.51.100.30", ...parts });
}

export function aiAgentRow(parts: Partial<Row<"ai_agents">>): Row<"ai_agents"> {
  return {
    ...{ client: "10.0.0.5", isActive: true, hasLoop: false, calls: 0, repliedMs: 0 },
    ...parts,
  };
}

/** One answered connection of a client that calls models. */
export function destinationRow(parts: Partial<Row<"ai_destinations">>): Row<"ai_destinations"> {
  return {
    ...{ client: "10.0.0.5", destination: "example.org", isNamed: true, isProvider: false },
    ...{ server: "198.51.100.40", port: 443, startMs: 0, family: "python" },
    ...{ begun: 1, answered: 1, upBytes: 1000, downBytes: 5000, clients: 1 },
    ...parts,
  };
}

/** Starts in a rhythm with a jitter as a share of it. */
export function intervals(count: number, periodMs: number, jitter = 0.05): number[] {
  return Array.from({ length: count }, (_, at) =>
    Math.round(periodMs * (1 + jitter * Math.sin(7 * at))),
  );
}

const FIVE_MINUTES = 300;
const STEPS_A_DAY = 288;

/** A day of an agent that makes a call in each window and goes to one place after its replies. */
export function anAgentsDay(bench: DetectionBench, step: Partial<Step["rows"]> = {}): void {
  for (let at = 0; at < STEPS_A_DAY + 1; at++) {
    const rows = {
      ai_calls: [aiCallRow({ upBytes: 50_000 + 100 * (at % 7) })],
      ai_agents: [aiAgentRow({ calls: 1, repliedMs: bench.timeMs + 1000 })],
      ai_destinations: [destinationRow({ startMs: bench.timeMs + 2000 })],
    };
    bench.step({ seconds: FIVE_MINUTES, rows: { ...rows, ...step } });
  }
}

/** Agents that run away, and models that lead them astray. */
export function aiBehaviour(): DetectionBench {
  const bench = new DetectionBench();
  anAgentsDay(bench);
  const repliedMs = bench.timeMs;
  bench.step({
    rows: {
      ai_calls: [
        aiCallRow({ upBytes: 9e7 }),
        streamRow({ streams: 4 }),
        streamRow({ host: "", streams: 4 }),
        streamRow({ client: "2001:db8::5", server: "2001:db8::30", host: "", streams: 4 }),
      ],
      ai_agents: [aiAgentRow({ hasLoop: true, calls: 1, repliedMs })],
      ai_destinations: Array.from({ length: 30 }, (_, at) =>
        destinationRow({
          destination: `d${at}.example`,
          ...{ server: `198.51.100.${at}`, startMs: repliedMs + 500, upBytes: 40_000 },
        }),
      ),
    },
  });
  bench.run(300, (at) => ({
    rows: {
      ai_calls: [aiCallRow({ calls: 2, upBytes: 4000 })],
      ai_agents: [aiAgentRow({ hasLoop: at > 250 })],
    },
  }));
  bench.run(26, {
    seconds: 600,
    rows: {
      ai_calls: [
        aiCallRow({ client: "10.0.0.6", intervalsMs: intervals(32, 600_000) }),
        aiCallRow({
          client: "2001:db8::6",
          server: "2001:db8::20",
          intervalsMs: intervals(32, 6e5),
        }),
      ],
    },
  });
  return bench;
}
