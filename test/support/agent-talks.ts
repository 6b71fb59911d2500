// SPDX-License-Identifier: AGPL-3.0-or-later
import { AgentClient, CANARIES } from "./agent-client.ts";
import { startAgentServer } from "./agent-server.ts";
import { type Ends, RecordedTalks } from "./recorded-talks.ts";

/** Talks that `recordTalks` can have, and the messages in each by protocol and kind. */
export const TALKS = {
  mcpStream: {
    ...{ "mcp_stream initialize": 1, "mcp_stream notify": 2, "mcp_stream stream": 1 },
    ...{ "mcp_stream list": 1, "mcp_stream call": 2, "mcp_stream error": 1, "mcp_stream other": 2 },
  },
  mcpLegacy: {
    ...{ "mcp_legacy stream": 1, "mcp_legacy initialize": 1, "mcp_legacy notify": 1 },
    ...{ "mcp_legacy call": 1, "mcp_legacy other": 1, "mcp_legacy error": 1 },
  },
  mcp2026: {
    ...{ "mcp_2026 discover": 1, "mcp_2026 list": 1, "mcp_2026 call": 3 },
    ...{ "mcp_2026 other": 1, "mcp_2026 error": 1 },
  },
  a2aOld: { "a2a discover": 1, "a2a call": 1, "a2a stream": 1, "a2a other": 1 },
  a2aNew: { "a2a discover": 1, "a2a call": 2, "a2a other": 2, "a2a error": 1 },
  acp: { "acp call": 1, "acp other": 2 },
  openai: {
    ...{ "openai_rest call": 2, "openai_rest stream": 1 },
    ...{ "openai_rest error": 1, "openai_rest list": 1 },
  },
  anthropic: { "anthropic_rest call": 1, "anthropic_rest stream": 1 },
  ollama: {
    ...{ "ollama list": 1, "ollama call": 1, "ollama stream": 1 },
    ...{ "openai_rest call": 1, "openai_rest stream": 1 },
  },
  realtime: { "openai_rest stream": 1 },
  hidden: { "openai_rest call": 1, "openai_rest error": 1 },
  metadata: {},
} as const satisfies Partial<Record<keyof AgentClient, Record<string, number>>>;
export type TalkName = keyof typeof TALKS;

/** Has talks between a real client and a real server, and returns them as a capture between other ends. */
export async function recordTalks(
  names: readonly TalkName[],
  ends: Ends,
  segmentBytes?: number,
): Promise<Buffer> {
  const { session, answer, model } = CANARIES;
  const server = await startAgentServer({ session, answer, model });
  const recorder = await RecordedTalks.start(server.port);
  try {
    for (const name of names) {
      const client = new AgentClient(recorder.port);
      await client[name]();
      client.close();
    }
    return recorder.capture(ends, segmentBytes);
  } finally {
    await recorder.close();
    await server.close();
  }
}
