// SPDX-License-Identifier: AGPL-3.0-or-later
// Agents and language models in clear text over every shared capture: only one of them has any.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { agentMessages } from "../../src/decode/agents/kinds.ts";
import { sharedData } from "../support/shared-data.ts";
import { answeredCaptures, readCapture } from "./captures.ts";
import type { Counts } from "./decoding.ts";
import { FlowDecoding } from "./flow-decoding.ts";

const MCP = "ai/mcp-2025-11-25-plaintext.pcap";

interface Labels {
  readonly captures: readonly {
    readonly path: string;
    readonly messages?: Counts;
    readonly get_streams?: number;
  }[];
}

const folder = sharedData();

/** Messages in a capture, `protocol kind` by number. */
async function messagesIn(path: string): Promise<Counts> {
  const decoding = new FlowDecoding();
  await readCapture(path, (frame) => decoding.take(frame));
  const counts: Counts = {};
  for (const { labels, slot } of decoding.layout.series(agentMessages)) {
    const count = decoding.counters[slot] ?? 0;
    if (count > 0) counts[`${labels.protocol} ${labels.kind}`] = count;
  }
  return counts;
}

describe.skipIf(folder === null)("agents in real captures", () => {
  const root = folder ?? "";
  const others = folder === null ? [] : answeredCaptures(root).filter((path) => path !== MCP);

  it("are exactly those of the label file", async () => {
    const text = readFileSync(join(root, "ai/labels.json"), "utf8");
    const label = (JSON.parse(text) as Labels).captures.find(({ path }) => MCP.endsWith(path));
    expect(await messagesIn(join(root, MCP))).toEqual({
      "mcp_stream initialize": label?.messages?.initialize,
      "mcp_stream notify": label?.messages?.["notifications/initialized"],
      "mcp_stream list": label?.messages?.["tools/list"],
      "mcp_stream call": label?.messages?.["tools/call"],
      "mcp_stream stream": label?.get_streams,
    });
  });

  it.each(others)("are not in %s", async (path) => {
    expect(await messagesIn(join(root, path))).toEqual({});
  });
});
