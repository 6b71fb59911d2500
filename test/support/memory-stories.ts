// SPDX-License-Identifier: AGPL-3.0-or-later
import { aiFingerprint } from "../../src/detect/ai-fingerprint.ts";
import { aiLateral } from "../../src/detect/ai-lateral.ts";
import { aiNewDestination } from "../../src/detect/ai-new-destination.ts";
import { aiNewProvider } from "../../src/detect/ai-new-provider.ts";
import { aiRunawayLoop } from "../../src/detect/ai-runaway-loop.ts";
import { aiToolFanout } from "../../src/detect/ai-tool-fanout.ts";
import { aiUploadJump } from "../../src/detect/ai-upload-jump.ts";
import type { DetectorDefinition } from "../../src/detect/detector.ts";
import { entropyShift } from "../../src/detect/entropy-shift.ts";
import { metadataAccess } from "../../src/detect/metadata-access.ts";
import { newHost, newService, rareCombo, rareTls } from "../../src/detect/novelty.ts";
import { type DetectionBench, randomOf, type Step } from "./detection-bench.ts";
import { agentTalkRow, metadataAskRow } from "./gallery-agents.ts";
import { aiAgentRow, aiCallRow, anAgentsDay, destinationRow } from "./gallery-ai.ts";
import { aiFlowRow, applicationRow } from "./gallery-covert.ts";
import { mixRows } from "./gallery-shared.ts";
import { arpRow, handshakeRow } from "./windows.ts";

/** What a detector learns, and what it makes of it. */
interface Story {
  readonly detector: DetectorDefinition<unknown>;
  /** A day, or a week, in which it learns what is usual. */
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

/** The same thing every hour of nine days. */
export const weekly =
  (step: Step) =>
  (bench: DetectionBench): void =>
    void bench.run(9 * 24, { seconds: 3600, ...step });
const once =
  (step: Step) =>
  (bench: DetectionBench): void =>
    void bench.step(step);
/** A machine of the own network speaks. */
export const machine = (last: number): Step => ({
  arp: [arpRow({ address: `10.0.0.${last}`, mac: `02:00:00:00:00:${last}` })],
});
const service = (port: number): Step => ({
  handshakes: [handshakeRow({ destination: "10.0.0.8", port, established: 1 })],
});
const speaking = (application: string): Step => ({
  rows: { applications: [applicationRow({ application, port: 8000 })] },
});
const greeting = (ja4: string): Step => ({ tallies: { "tls.ja4": [[ja4, 1]] } });

/** Seconds with so many new flows each, always the same ones. */
const flowing =
  (seconds: number, flows: number, spread = {}) =>
  (bench: DetectionBench): void => {
    const random = randomOf(3);
    bench.run(seconds, () => ({ rows: { flow_mix: mixRows(random, flows, spread) } }));
  };

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

/** One for each detector that remembers. */
export const stories: readonly Story[] = [
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
  {
    detector: entropyShift,
    learn: flowing(700, 40),
    usual: flowing(40, 40),
    novel: flowing(40, 400, { sources: 512, destinations: 1 }),
  },
  {
    detector: newHost,
    learn: weekly(machine(11)),
    usual: once(machine(11)),
    novel: once(machine(12)),
  },
  {
    detector: newService,
    learn: weekly(service(80)),
    usual: once(service(80)),
    novel: once(service(8080)),
  },
  {
    detector: rareCombo,
    learn: weekly(speaking("http")),
    usual: once(speaking("http")),
    novel: once(speaking("ssh")),
  },
  {
    detector: rareTls,
    learn: weekly(greeting("t13d1516h2_8daaf6152771_e5627efa2ab1")),
    usual: once(greeting("t13d1516h2_8daaf6152771_e5627efa2ab1")),
    novel: once(greeting("t12d190800_d83cc789557e_7af1ed941c26")),
  },
];
