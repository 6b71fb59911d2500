// SPDX-License-Identifier: AGPL-3.0-or-later
// The benchmark's scorer against published results, and the shipped seasonal baseline against its targets.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { publishedScores, readCorpus } from "../../scripts/eval/nab/corpus.ts";
import { bestScore, coolDown, PROFILES, type Profile } from "../../scripts/eval/nab/score.ts";
import { SeasonalBaseline } from "../../src/detect/baseline/seasonal.ts";
import { sharedData } from "../support/shared-data.ts";

const data = sharedData();
const folder = join(data ?? "", "nab");

describe.skipIf(data === null)("Numenta Anomaly Benchmark", () => {
  const corpus = data === null ? [] : readCorpus(folder);

  it.each([
    ["windowedGaussian", [26.52, 2.24, 37.12]],
    ["randomCutForest", [53.71, 44.87, 60.09]],
  ])("gives %s the scores that are published", (name, published) => {
    const scored = corpus.map((series) => ({
      scores: publishedScores(folder, name, series.path) ?? [],
      windows: series.windows,
    }));
    const own = PROFILES.map((profile) => Number(bestScore(scored, profile).toFixed(2)));
    expect(own).toEqual(published);
  });

  it("gives the seasonal baseline at least 44, and 53 with a cool-down of 200 samples", () => {
    const scored = corpus.map(({ values, timesMs, windows }) => {
      const baseline = new SeasonalBaseline(1e-9);
      const scores = values.map((value, at) =>
        Math.abs(baseline.observe(value, timesMs[at] ?? 0, true)),
      );
      return { scores, windows };
    });
    const [standard] = PROFILES as readonly [Profile, ...Profile[]];
    expect(bestScore(scored, standard)).toBeGreaterThanOrEqual(44);
    const cooled = scored.map((series) => ({ ...series, scores: coolDown(series.scores, 200) }));
    expect(bestScore(cooled, standard)).toBeGreaterThanOrEqual(53);
  });
});
