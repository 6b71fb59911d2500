// SPDX-License-Identifier: AGPL-3.0-or-later
// What detectors of AI traffic have learned of hosts goes on over a restart: nobody waits another day for them.
import { describe, expect, it } from "vitest";
import { aiFingerprint } from "../../src/detect/ai-fingerprint.ts";
import { aiLateral } from "../../src/detect/ai-lateral.ts";
import { aiNewDestination } from "../../src/detect/ai-new-destination.ts";
import { aiNewProvider } from "../../src/detect/ai-new-provider.ts";
import { aiRunawayLoop } from "../../src/detect/ai-runaway-loop.ts";
import { aiToolFanout } from "../../src/detect/ai-tool-fanout.ts";
import { aiUploadJump } from "../../src/detect/ai-upload-jump.ts";
import type { DetectorDefinition } from "../../src/detect/detector.ts";
import { metadataAccess } from "../../src/detect/metadata-access.ts";
import { DetectionBench, type Step } from "../support/detection-bench.ts";
import { agentTalkRow, metadataAskRow } from "../support/gallery-agents.ts";
import { aiAgentRow, aiCallRow, anAgentsDay, destinationRow } from "../support/gallery-ai.ts";
import { aiFlowRow } from "../support/gallery-covert.ts";

interface Story {
  readonly detector: DetectorDefinition<unknown>;
  /** A day in which it learns what is usual. */
  readonly learn: (bench: DetectionBench) => void;
  /** What is usual, and what is to be told; both are nothing to a detector that still learns. */
  readonly usual: (bench: DetectionBench) => void;
  readonly novel: (bench: DetectionBench) => void;
}

/** Steps of five minutes through 25 hours, and one more without anything. */
const daily =
  (rows: Step["rows"]) =>
  (bench: DetectionBench): void => {
    bench.run(300, { seconds: 300, ...(rows === undefined ? {} : { rows }) });
    bench.step({ seconds: 300 });
  };
const minutes =
  (rows: NonNullable<Step["rows"]>, count = 6) =>
  (bench: DetectionBench): void =>
    void bench.run(count, { seconds: 60, rows });

/** A reply of a model ends, and a second later these connections begin. */
const reply =
  (...rows: readonly Partial<ReturnType<typeof destinationRow>>[]) =>
  (bench: DetectionBench): void => {
    const repliedMs = bench.timeMs;
    bench.step({
      rows: {
        ai_agents: [aiAgentRow({ calls: 1, repliedMs })],
        ai_destinations: rows.map((row) => destinationRow({ startMs: repliedMs + 1000, ...row })),
      },
    });
  };
const fan = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ destination: `d${at}.example` }));

const stories: readonly Story[] = [
  {
    detector: aiRunawayLoop,
    learn: daily({ ai_calls: [aiCallRow({ calls: 10 })] }),
    usual: minutes({ ai_calls: [aiCallRow({ calls: 2 })] }),
    novel: minutes({ ai_calls: [aiCallRow({ calls: 60 })] }),
  },
  {
    detector: aiUploadJump,
    learn: daily({ ai_calls: [aiCallRow({ upBytes: 50_000, largestUpBytes: 20_000 })] }),
    usual: minutes({ ai_calls: [aiCallRow({ upBytes: 50_000, largestUpBytes: 20_000 })] }),
    novel: minutes({ ai_calls: [aiCallRow({ upBytes: 9e6, largestUpBytes: 9e6 })] }),
  },
  {
    detector: aiToolFanout,
    learn: anAgentsDay,
    usual: reply(...fan(2)),
    novel: reply(...fan(30)),
  },
  {
    detector: aiNewDestination,
    learn: anAgentsDay,
    usual: reply({ destination: "example.org", upBytes: 40_000 }),
    novel: reply({ destination: "evil.example", upBytes: 40_000 }),
  },
  {
    detector: aiNewProvider,
    learn: daily({ ai_flows: [aiFlowRow({})] }),
    usual: minutes({ ai_flows: [aiFlowRow({})] }),
    novel: minutes({ ai_flows: [aiFlowRow({ provider: "deepseek" })] }),
  },
  {
    detector: aiFingerprint,
    learn: daily({ ai_flows: [aiFlowRow({ family: "python", completed: 3 })] }),
    usual: minutes({ ai_flows: [aiFlowRow({ family: "python", completed: 3 })] }),
    novel: minutes({ ai_flows: [aiFlowRow({ family: "go", completed: 3 })] }),
  },
  {
    detector: aiLateral,
    learn: daily({ agent_talks: [agentTalkRow({ messages: 1, server: "10.0.0.8" })] }),
    usual: minutes({ agent_talks: [agentTalkRow({ messages: 1, server: "10.0.0.8" })] }),
    novel: minutes({ agent_talks: [agentTalkRow({ messages: 1, server: "10.0.0.9" })] }),
  },
  {
    detector: metadataAccess,
    learn: daily({ metadata_asks: [metadataAskRow({ client: "10.0.0.5" })] }),
    usual: minutes({ metadata_asks: [metadataAskRow({ client: "10.0.0.5" })] }),
    novel: minutes({ metadata_asks: [metadataAskRow({ client: "10.0.0.6" })] }),
  },
];

describe.each(stories.map((story) => [story.detector.name, story] as const))(
  "%s",
  (name, story) => {
    const { detector, learn, usual, novel } = story;
    const bench = (): DetectionBench => new DetectionBench({ detectors: [detector] });

    function learned(): DetectionBench {
      const before = bench();
      learn(before);
      return before;
    }

    /** Goes through the text of the state file, as after a restart. */
    function restarted(before: DetectionBench): DetectionBench {
      const after = bench();
      after.engine.recall(JSON.parse(JSON.stringify(before.engine.remember())), false);
      return after;
    }

    it("knows after a restart what it had learned before", () => {
      const after = restarted(restarted(learned()));
      usual(after);
      expect(after.events).toEqual([]);
      novel(after);
      expect(after.events.map(({ detector: by }) => by)).toContain(name);
    });

    it("has learned nothing without that", () => {
      const fresh = bench();
      usual(fresh);
      novel(fresh);
      expect(fresh.events).toEqual([]);
    });

    it("begins anew with what is not its own", () => {
      const memory = learned().engine.remember();
      const empty = bench().engine.remember();
      for (const damaged of [null, [["a", { ageMs: -1 }]], { learnedSeconds: 1 }, "x"]) {
        const after = bench();
        after.engine.recall({ ...memory, detectors: { [name]: damaged } }, false);
        expect(after.engine.remember().detectors).toEqual(empty.detectors);
      }
    });
  },
);
