// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { isForged } from "../../src/detect/flood-targets.ts";
import { targetRow } from "../support/attack-rows.ts";

describe("forged sources", () => {
  it("are many, each seen once, and get no answer", () => {
    expect(isForged(targetRow({ flows: 100, sources: 95 }))).toBe(true);
    expect(isForged(targetRow({ flows: 100, sources: 95, answered: 60 }))).toBe(false);
    expect(isForged(targetRow({ flows: 100, sources: 40 }))).toBe(false);
  });

  it("are not a few that sent one packet each", () => {
    expect(isForged(targetRow({ flows: 15, sources: 15 }))).toBe(false);
  });
});
