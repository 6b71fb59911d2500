// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "../../src/util/nearest.ts";

describe("nearest", () => {
  const keys = ["listen_address", "telemetry_path", "config_file", "enabled"];

  it.each([
    ["listen_adress", "listen_address"],
    ["listenaddress", "listen_address"],
    ["Enabled", "enabled"],
    ["enable", "enabled"],
    ["telemetri_pfad", "telemetry_path"],
    ["colour", null],
    ["", null],
  ])("%s means %s", (word, expected) => {
    expect(nearest(word, keys)).toBe(expected);
  });
});

describe("editDistance", () => {
  it.each([
    ["kitten", "sitting", 3],
    ["", "abc", 3],
    ["abc", "", 3],
    ["same", "same", 0],
  ])("%s to %s is %i", (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
  });

  it("is a metric", () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, a)).toBe(0);
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      }),
      { numRuns: 200 },
    );
  });
});
