// SPDX-License-Identifier: AGPL-3.0-or-later
// What detectors have learned goes on over a restart and over new settings: nobody waits another day, or week, for them.
import { describe, expect, it } from "vitest";
import { aiFingerprint } from "../../src/detect/ai-fingerprint.ts";
import { aiLateral } from "../../src/detect/ai-lateral.ts";
import { aiNewDestination } from "../../src/detect/ai-new-destination.ts";
import { aiNewProvider } from "../../src/detect/ai-new-provider.ts";
import { aiRunawayLoop } from "../../src/detect/ai-runaway-loop.ts";
import { aiToolFanout } from "../../src/detect/ai-tool-fanout.ts";
import { aiUploadJump } from "../../src/detect/ai-upload-jump.ts";
import { detectors } from "../../src/detect/all.ts";
import type { DetectorDefinition } from "../../src/detect/detector.ts";
import { entropyShift } from "../../src/detect/entropy-shift.ts";
import { metadataAccess } from "../../src/detect/metadata-access.ts";
import { newHost, newService, rareCombo, rareTls } from "../../src/detect/novelty.ts";
import { detectorSettings, parseSettings } from "../../src/detect/settings.ts";
import { DetectionBench, randomOf, type Step } from "../support/detection-bench.ts";
import { agentTalkRow, metadataAskRow } from "../support/gallery-agents.ts";
import { aiAgentRow, aiCallRow, anAgentsDay, destinationRow } from "../support/gallery-ai.ts";
import { aiFlowRow, applicationRow } from "../support/gallery-covert.ts";
import { mixRows } from "../support/gallery-shared.ts";
import { arpRow, handshakeRow } from "../support/windows.ts";

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
const weekly =
  (step: Step) =>
  (bench: DetectionBench): void =>
    void bench.run(9 * 24, { seconds: 3600, ...step });
const once =
  (step: Step) =>
  (bench: DetectionBench): void =>
    void bench.step(step);
const machine = (last: number): Step => ({
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

/** The first of its own numbers that may be twice as large. */
function changed(detector: DetectorDefinition<unknown>): Record<string, number> {
  const schema = detectorSettings(detector);
  const own = parseSettings(detector, {}).own as Readonly<Record<string, unknown>>;
  const doubled = Object.entries(own)
    .filter((entry): entry is [string, number] => typeof entry[1] === "number")
    .map(([name, value]) => ({ [name]: 2 * value }))
    .find((candidate) => schema.safeParse(candidate).success);
  if (!doubled) throw new Error(`${detector.name} has no setting to change`);
  return doubled;
}

describe("the stories of what is learned", () => {
  it("are one for each detector that remembers", () => {
    const context = { isHome: () => true };
    const remembering = detectors.filter((detector) => {
      const { own } = parseSettings(detector, {});
      return detector.create(own, context).remember !== undefined;
    });
    const names = remembering.map(({ name }) => name);
    expect(stories.map(({ detector }) => detector.name).sort()).toEqual(names.sort());
  });
});

describe.each(stories.map((story) => [story.detector.name, story] as const))(
  "%s",
  (name, story) => {
    const { detector, learn, usual, novel } = story;
    const bench = (): DetectionBench => new DetectionBench({ detectors: [detector], protocols: 1 });

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

    it("knows after a change of its settings what it had learned before, and when", () => {
      const reloaded = learned();
      const control = learned();
      reloaded.engine.reconfigure({ [name]: changed(detector) });
      expect(reloaded.engine.remember()).toEqual(control.engine.remember());
      // Were the time of the change taken for the start, everything would be older from the next tick on.
      reloaded.step();
      control.step();
      expect(reloaded.engine.remember()).toEqual(control.engine.remember());
    });

    it("judges by what it had learned before its settings changed, there and back", () => {
      const reloaded = learned();
      reloaded.engine.reconfigure({ [name]: changed(detector) });
      reloaded.engine.reconfigure({});
      usual(reloaded);
      expect(reloaded.events).toEqual([]);
      novel(reloaded);
      expect(reloaded.events.map(({ detector: by }) => by)).toContain(name);
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

describe("what was not seen again for a week", () => {
  const forgetting = stories.filter(({ detector: { name } }) =>
    ["ai_new_destination", "ai_new_provider", "ai_lateral", "metadata_access"].includes(name),
  );
  it.each(forgetting)("is not remembered: $detector.name", ({ detector, learn }) => {
    const bench = new DetectionBench({ detectors: [detector], protocols: 1 });
    const remembered = (): string => JSON.stringify(bench.engine.remember().detectors);
    learn(bench);
    const learned = remembered().match(/\["[^"]+",\d+\]/g);
    expect(learned).not.toBeNull();
    bench.run(6 * 24, { seconds: 3600 });
    expect(remembered().match(/\["[^"]+",\d+\]/g)).toHaveLength(learned?.length ?? -1);
    bench.run(24 + 1, { seconds: 3600 });
    expect(remembered()).not.toMatch(/\["[^"]+",\d+\]/);
  });
});

describe("what was told as new", () => {
  it("is not told again after a restart, and is known then", () => {
    const before = new DetectionBench({ detectors: [newHost] });
    weekly(machine(11))(before);
    expect(before.step(machine(12)).map(({ state }) => state)).toEqual(["open"]);
    const after = new DetectionBench({ detectors: [newHost] });
    after.engine.recall(JSON.parse(JSON.stringify(before.engine.remember())), false);
    after.engine.restore(before.engine.active());
    after.run(60, machine(12));
    expect(after.events.map(({ state }) => state)).toEqual(["resolved"]);
  });

  it("is learned to the end by two runs of half the time", () => {
    const halfDay = 12;
    const bench = (): DetectionBench => new DetectionBench({ detectors: [newHost] });
    const [first, second] = [bench(), bench()];
    first.run(halfDay, { seconds: 3600, ...machine(11) });
    second.engine.recall(first.engine.remember(), false);
    second.run(halfDay - 1, { seconds: 3600, ...machine(12) });
    expect(second.step({ seconds: 3600, ...machine(13) })).toEqual([]);
    const told = second.step({
      seconds: 10,
      arp: [11, 12, 13, 14].flatMap((at) => machine(at).arp ?? []),
    });
    expect(told.map(({ entity }) => entity.mac)).toEqual(["02:00:00:00:00:14"]);
  });

  it("is bounded in the file", () => {
    const bench = new DetectionBench({ detectors: [rareTls] });
    for (let at = 0; at < 20; at++) {
      const many = Array.from({ length: 1000 }, (_, index) => [`${at}_${index}`, 1] as const);
      bench.step({ tallies: { "tls.ja4": many } });
    }
    const { seen } = bench.engine.remember().detectors.rare_tls as { seen: { known: unknown[] } };
    expect(seen.known).toHaveLength(16_384);
  });
});
