// SPDX-License-Identifier: AGPL-3.0-or-later
// Events of detectors of agents and language models in clear text.
import type { TrackerRows } from "../../src/flow/window.ts";
import { pairRow } from "./attack-rows.ts";
import { DetectionBench } from "./detection-bench.ts";

type Row<Name extends keyof TrackerRows> = TrackerRows[Name][number];

export function agentTalkRow(parts: Partial<Row<"agent_talks">>): Row<"agent_talks"> {
  return {
    ...{ client: "10.0.0.5", server: "10.0.0.80", port: 8000, protocol: "mcp_stream" },
    ...{ messages: 0, calls: 0, errors: 0, mismatches: 0 },
    ...{ open: 0, granted: 0, denied: 0, toAddress: 0 },
    ...parts,
  };
}

export function metadataAskRow(parts: Partial<Row<"metadata_asks">>): Row<"metadata_asks"> {
  return {
    ...{ client: "10.0.0.5", server: "169.254.169.254", connections: 0, requests: 0, bare: 0 },
    ...parts,
  };
}

/** An agent that is given new tools, looks around and asks for credentials, and servers that serve everybody. */
export function agents(): DetectionBench {
  const learn = { learn_seconds: 10 };
  const bench = new DetectionBench({ settings: { ai_lateral: learn, metadata_access: learn } });
  bench.run(11);
  bench.step({
    rows: {
      agent_talks: [
        agentTalkRow({ server: "198.51.100.9", calls: 3, messages: 3, toAddress: 3, granted: 3 }),
        agentTalkRow({ messages: 1, open: 1 }),
        agentTalkRow({ client: "198.51.100.7", protocol: "ollama", messages: 1, open: 1 }),
      ],
      metadata_asks: [
        metadataAskRow({ connections: 1, requests: 1, bare: 1 }),
        metadataAskRow({ client: "10.0.0.6", server: "fd00:ec2::254", connections: 1 }),
      ],
      pairs: Array.from({ length: 12 }, (_, at) =>
        pairRow({ client: "10.0.0.5", server: `10.0.1.${at}`, connections: 1 }),
      ),
    },
  });
  return bench;
}
