// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { percentSpan, span } from "../../scripts/eval/section.ts";

describe("a row of the evaluation", () => {
  it("gives the least and the most of repeated runs", () => {
    expect(span([4, 10, 1])).toBe("1 to 10");
    expect(percentSpan([4, 10, 1], 60)).toBe("2 to 17 %");
  });

  it("gives one number where they agree", () => {
    expect(span([33])).toBe("33");
    expect(percentSpan([33], 60)).toBe("55 %");
    expect(percentSpan([100, 101], 1000)).toBe("10 %");
  });
});
