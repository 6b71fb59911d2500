// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { discordPayload } from "../../src/notify/discord.ts";
import { slackPayload } from "../../src/notify/slack.ts";
import { anyAlert } from "../support/anomalies.ts";
import {
  discordHazards,
  discordViolations,
  slackHazards,
  slackViolations,
  stringsIn,
} from "../support/vendor-checks.ts";

const RUNS = 2_500;

describe.each([
  ["slack", slackPayload, slackViolations, slackHazards],
  ["discord", discordPayload, discordViolations, discordHazards],
] as const)("%s payloads", (_, payloadOf, violationsOf, hazardsOf) => {
  it(`keep every limit of the vendor and hold nothing live, for ${RUNS} messages of an attacker's choice`, () => {
    fc.assert(
      fc.property(anyAlert, (alert) => {
        const payload = payloadOf(alert);
        expect([...violationsOf(payload), ...hazardsOf(payload)]).toEqual([]);
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
