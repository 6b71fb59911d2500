// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { DetectorDefinition, Entity } from "../../src/detect/detector.ts";
import { DetectionBench } from "../support/detection-bench.ts";

const settings = z.strictObject({});
const HOST: Entity = { kind: "destination", key: "10.0.0.80", destination: "10.0.0.80" };
const SERVICE: Entity = {
  kind: "service",
  key: "10.0.0.80:443",
  destination: "10.0.0.80",
  port: 443,
};
const OTHER: Entity = { ...SERVICE, key: "10.0.0.81:443", destination: "10.0.0.81" };

/** Finds the entities in the windows that `when` is true of, counted from 0. */
function finder(
  name: string,
  entity: Entity,
  when: (at: number) => boolean,
  parts: Partial<DetectorDefinition<z.infer<typeof settings>>> = {},
): DetectorDefinition<z.infer<typeof settings>> {
  return {
    ...{ name, class: "test", help: "Finds what it is told to.", severities: ["info"] },
    ...{ settings, quietSeconds: 5, ...parts },
    create: () => {
      let at = 0;
      return {
        evaluate: () =>
          when(at++)
            ? [
                {
                  ...{ entity, severity: "info", protocol: "tcp", observed: 1, expected: 0 },
                  threshold: { value: 0, setting: `detectors.${name}.enabled` },
                  ...{ windowSeconds: 1, samples: 1, evidence: ["it is there"] },
                  explanation: "It was to be found in this window, and so it was found in it.",
                  suggestion: { wireshark_filter: "frame", promql: "up" },
                },
              ]
            : [],
      };
    },
  };
}

/** Detectors that opened an incident in twenty windows, in the order in which they did. */
function opened(better: Entity, when: (at: number) => boolean, worse = HOST): string[] {
  const bench = new DetectionBench({
    detectors: [
      finder("better", better, when),
      finder("worse", worse, (at) => at > 0, { supersededBy: ["absent", "better"] }),
    ],
  });
  bench.run(20);
  return bench.events.filter(({ state }) => state === "open").map(({ detector }) => detector);
}

describe("a detector that others supersede", () => {
  it("is silent while one of them finds the same, or a service of the same host", () => {
    for (const entity of [HOST, SERVICE]) expect(opened(entity, () => true)).toEqual(["better"]);
  });

  it("is silent while their incident is open, found again or not, and speaks after it", () => {
    expect(opened(SERVICE, (at) => at % 4 === 0)).toEqual(["better"]);
    expect(opened(SERVICE, (at) => at === 0)).toEqual(["better", "worse"]);
  });

  it("speaks of what they do not: another host, and a service where they mean the host", () => {
    expect(opened(OTHER, () => true)).toEqual(["better", "worse"]);
    expect(opened(HOST, () => true, SERVICE)).toEqual(["better", "worse"]);
  });
});
