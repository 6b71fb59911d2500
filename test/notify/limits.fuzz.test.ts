// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slackPayload } from "../../src/notify/slack.ts";
import { anyAlert } from "../support/anomalies.ts";
import { keepsEveryLimit } from "../support/any-messages.ts";
import { stringsIn } from "../support/vendor-checks.ts";

describe("messages for services", () => keepsEveryLimit("services"));

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
