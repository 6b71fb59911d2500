// SPDX-License-Identifier: AGPL-3.0-or-later
// Calls in the order of their beginning, and whether they grow.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addStep,
  firstStart,
  isRising,
  STAIRCASE_WORDS,
  streamsOf,
} from "../../../src/flow/ai/staircase.ts";

const AT = 3;
type Step = readonly [startMs: number, upBytes: number];

function stairs(steps: readonly Step[]): Int32Array {
  const words = new Int32Array(AT + STAIRCASE_WORDS + 3).fill(-7);
  words.fill(0, AT, AT + STAIRCASE_WORDS);
  for (const [startMs, upBytes] of steps) addStep(words, AT, startMs, upBytes, false);
  expect([...words.slice(0, AT), ...words.slice(-3)]).toEqual([-7, -7, -7, -7, -7, -7]);
  return words;
}

const rises = (steps: readonly Step[]): boolean => isRising(stairs(steps), AT);
const up = (uploads: readonly number[], gapMs = 1000): Step[] =>
  uploads.map((bytes, at) => [at * gapMs, bytes]);

describe("a staircase of calls", () => {
  it.each<[string, readonly Step[], boolean]>([
    ["six that grow", up([100, 110, 120, 130, 140, 150]), true],
    ["five", up([100, 200, 300, 400, 500]), false],
    ["one step down of five", up([100, 200, 150, 250, 300, 350]), true],
    ["two steps down", up([100, 200, 150, 250, 200, 350]), false],
    ["not half as much again", up([100, 110, 120, 130, 140, 149]), false],
    ["the last six grow", up([900, 100, 200, 300, 400, 500, 600]), true],
    ["a person's pace", up([100, 200, 300, 400, 500, 600], 30_001), false],
    ["30 s apart", up([100, 200, 300, 400, 500, 600], 30_000), true],
    [
      "two long pauses among five",
      [...up([100, 200, 300]), [100_000, 400], [101_000, 500], [200_000, 600]],
      true,
    ],
    ["ten minutes and more", [...up([100, 200, 300, 400, 500]), [600_001, 600]], false],
    ["uploads that no 32 bits hold", up([1e9, 2e9, 3e9, 4e9, 5e9, 6e9]), false],
  ])("%s", (_, steps, wanted) => {
    expect(rises(steps)).toBe(wanted);
  });

  it("is the same in whatever order its calls end", () => {
    const steps = up([100, 200, 300, 400, 500, 600]);
    fc.assert(
      fc.property(fc.shuffledSubarray(steps, { minLength: 6 }), (shuffled) => {
        expect([...stairs(shuffled)]).toEqual([...stairs(steps)]);
      }),
    );
  });

  it("goes on where the times wrap", () => {
    const wrapping = 2 ** 31 - 2500;
    const words = stairs(
      up([100, 200, 300, 400, 500, 600, 700]).map(([ms, b]) => [wrapping + ms, b]),
    );
    expect(firstStart(words, AT)).toBe(wrapping + 1000);
    expect(isRising(words, AT)).toBe(true);
  });

  it("keeps the last calls to begin, and counts streams as far as they matter", () => {
    const words = stairs(up([1, 2, 3, 4, 5, 6, 7, 8]));
    expect(firstStart(words, AT)).toBe(2000);
    addStep(words, AT, 100, 9, true);
    expect([firstStart(words, AT), streamsOf(words, AT)]).toEqual([2000, 1]);
    for (let at = 0; at < 20; at++) addStep(words, AT, 9000 + at, 9, true);
    expect(streamsOf(words, AT)).toBe(6);
  });
});
