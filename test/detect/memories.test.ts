// SPDX-License-Identifier: AGPL-3.0-or-later
// What detectors have learned goes on over a restart and over new settings: nobody waits another day, or week, for them.
import { describe, expect, it } from "vitest";
import { detectors } from "../../src/detect/all.ts";
import type { DetectorDefinition } from "../../src/detect/detector.ts";
import { newHost, rareTls } from "../../src/detect/novelty.ts";
import { detectorSettings, parseSettings } from "../../src/detect/settings.ts";
import { DetectionBench } from "../support/detection-bench.ts";
import { machine, stories, weekly } from "../support/memory-stories.ts";

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
