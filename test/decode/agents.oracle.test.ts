// SPDX-License-Identifier: AGPL-3.0-or-later
// The MCP session of the shared captures, to the message. That no other has any is tested where all are replayed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { agentMessages } from "../../src/decode/agents/kinds.ts";
import { MCP_SESSION } from "../support/ai-captures.ts";
import { sharedData } from "../support/shared-data.ts";
import { hasTool } from "../support/tool.ts";
import { askCounts } from "./ask-tshark.ts";
import { readCapture } from "./captures.ts";
import type { Counts } from "./decoding.ts";
import { FlowDecoding } from "./flow-decoding.ts";

interface Labels {
  readonly captures: readonly {
    readonly path: string;
    readonly messages?: Counts;
    readonly get_streams?: number;
  }[];
}

const folder = sharedData();

async function decoded(path: string): Promise<FlowDecoding> {
  const decoding = new FlowDecoding();
  await readCapture(path, (frame) => decoding.take(frame));
  return decoding;
}

/** Messages by number, `protocol kind`. */
function messagesOf({ layout, counters }: FlowDecoding): Counts {
  const counts: Counts = {};
  for (const { labels, slot } of layout.series(agentMessages)) {
    const count = counters[slot] ?? 0;
    if (count > 0) counts[`${labels.protocol} ${labels.kind}`] = count;
  }
  return counts;
}

describe.skipIf(folder === null)("an MCP session of a real client", () => {
  const path = join(folder ?? "", MCP_SESSION);

  it("has the messages of the label file and no others", async () => {
    const text = readFileSync(join(folder ?? "", "ai/labels.json"), "utf8");
    const { captures } = JSON.parse(text) as Labels;
    const label = captures.find((one) => MCP_SESSION.endsWith(one.path));
    const decoding = await decoded(path);
    expect(label?.messages).toEqual({
      ...{ initialize: 1, "notifications/initialized": 1, "tools/list": 1, "tools/call": 3 },
    });
    expect(messagesOf(decoding)).toEqual({
      "mcp_stream initialize": label?.messages?.initialize,
      "mcp_stream notify": label?.messages?.["notifications/initialized"],
      "mcp_stream list": label?.messages?.["tools/list"],
      "mcp_stream call": label?.messages?.["tools/call"],
      "mcp_stream stream": label?.get_streams,
    });
    expect(decoding.value("nam_agent_header_mismatches_total")).toBe(0);
  });

  it.skipIf(!hasTool("tshark"))("has as many messages as tshark finds requests", async () => {
    const methods = askCounts(path, [], "http.request", "http.request.method");
    const messages = messagesOf(await decoded(path));
    const posts = Object.entries(messages).filter(([name]) => name !== "mcp_stream stream");
    expect(methods).toEqual({
      POST: posts.reduce((sum, [, count]) => sum + count, 0),
      GET: messages["mcp_stream stream"],
    });
  });
});
