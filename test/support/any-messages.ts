// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { expect, it } from "vitest";
import { anyAlert } from "./anomalies.ts";
import { problemsByKind } from "./channel-payloads.ts";

const RUNS = 10_000;

/** Every message is put to all channels of the kind: to make one costs more than most channels take for it. */
export function keepsEveryLimit(kind: keyof typeof problemsByKind): void {
  it(`keeps every limit and sends nothing live, for ${RUNS} messages of an attacker's choice`, () => {
    const channels = Object.entries(problemsByKind[kind]);
    fc.assert(
      fc.property(anyAlert, (alert) => {
        const wrong = channels.flatMap(([channel, problems]) =>
          problems(alert).map((problem) => `${channel}: ${problem}`),
        );
        expect(wrong).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
}
