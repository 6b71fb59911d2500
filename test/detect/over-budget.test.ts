// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { detectors } from "../../src/detect/all.ts";
import type { DetectorDefinition } from "../../src/detect/detector.ts";
import { overBudget } from "../../src/detect/over-budget.ts";
import { DetectionBench, type Step } from "../support/detection-bench.ts";
import { contactRow } from "../support/windows.ts";

const settings = z.strictObject({});
const DAY_TICKS = 144;

/** Opens an anomaly for every contact row's source, and is expected to open two a week. */
const wolf: DetectorDefinition<z.infer<typeof settings>> = {
  name: "wolf",
  class: "test",
  help: "Cries at every source.",
  severities: ["info"],
  settings,
  quietSeconds: 1,
  alarmsPerWeek: 2,
  create: () => ({
    evaluate: ({ window }) =>
      window.rows.contacts.map(({ source }) => ({
        entity: { kind: "source", key: source, source },
        severity: "info",
        protocol: "tcp",
        observed: 1,
        expected: 0,
        threshold: { value: 0, setting: "detectors.wolf.enabled" },
        windowSeconds: 1,
        samples: 1,
        evidence: ["a wolf"],
        explanation: "There is a wolf, and it is coming to eat all of the sheep.",
        suggestion: { wireshark_filter: "frame", promql: "up" },
      })),
  }),
};

/** Ten minutes; cries from so many sources. */
function cries(number: number): Step {
  const contacts = Array.from({ length: number }, (_, at) =>
    contactRow({ source: `10.0.0.${at}` }),
  );
  return { seconds: 600, contacts };
}

const observed = 'nam_anomaly_observed_per_week{detector="wolf"}';

describe("the budget of false alarms", () => {
  it("shows what is expected beside what was opened in the last week", async () => {
    const bench = new DetectionBench({ detectors: [wolf] });
    expect(await bench.series('nam_anomaly_expected_per_week{detector="wolf"}')).toBe(2);
    expect(await bench.series(observed)).toBe(0);
    bench.step(cries(7));
    expect(await bench.series(observed)).toBe(7);
    bench.run(6 * DAY_TICKS, cries(0));
    expect(await bench.series(observed)).toBe(7);
    bench.run(3 * DAY_TICKS, cries(0));
    expect(await bench.series(observed)).toBe(0);
  });

  it("is told once when it is exceeded five times for a day", () => {
    const bench = new DetectionBench({ detectors: [wolf, overBudget] });
    bench.step(cries(11));
    bench.run(DAY_TICKS - 1, cries(0));
    const told = (): number =>
      bench.events.filter(({ detector, state }) => detector === "over_budget" && state === "open")
        .length;
    expect(told()).toBe(0);
    bench.run(2, cries(0));
    expect(told()).toBe(1);
    expect(bench.events.findLast(({ detector }) => detector === "over_budget")).toMatchObject({
      ...{ observed: 11, expected: 2, severity: "info" },
      threshold: { value: 5, setting: "detectors.over_budget.factor" },
    });
    bench.run(3 * DAY_TICKS, cries(0));
    expect(told()).toBe(1);
    // Told, not held open for as long as it lasts.
    expect(bench.events.at(-1)).toMatchObject({ detector: "over_budget", state: "resolved" });
    expect(bench.engine.active()).toEqual([]);
  });

  it("is not exceeded by five times as many", () => {
    const bench = new DetectionBench({ detectors: [wolf, overBudget] });
    bench.step(cries(10));
    bench.run(3 * DAY_TICKS, cries(0));
    expect(bench.events.filter(({ detector }) => detector === "over_budget")).toEqual([]);
  });

  it("exists for every detector", async () => {
    const { body } = await new DetectionBench().registry.text(false);
    for (const { name, alarmsPerWeek = 1 } of detectors) {
      expect(body).toContain(
        `nam_anomaly_expected_per_week{detector="${name}"} ${alarmsPerWeek}\n`,
      );
    }
  });
});
