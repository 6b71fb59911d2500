// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slackPayload } from "../../src/notify/slack.ts";
import { anyAlert } from "../support/anomalies.ts";
import { problemsOf } from "../support/channel-payloads.ts";
import { stringsIn } from "../support/vendor-checks.ts";

const RUNS = 10_000;

describe("every channel", () => {
  it(`keeps every limit and sends nothing live, for ${RUNS} messages of an attacker's choice`, () => {
    fc.assert(
      fc.property(anyAlert, (alert) => {
        const found = Object.entries(problemsOf).map(([channel, problems]) => ({
          channel,
          problems: problems(alert),
        }));
        expect(found.filter(({ problems }) => problems.length > 0)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("slack payloads", () => {
  it("hold no entity that was cut in two", () => {
    fc.assert(
      fc.property(anyAlert, (alert) => {
        for (const text of stringsIn(slackPayload(alert))) {
          expect(text.replace(/&(?:amp|lt|gt);/g, "")).not.toContain("&");
        }
      }),
      { numRuns: 200 },
    );
  });
});
