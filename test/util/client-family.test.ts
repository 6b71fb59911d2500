// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { contradicts } from "../../src/util/client-family.ts";

describe("a hello and a User-Agent", () => {
  it.each([
    ["go", "python"],
    ["chromium", "curl"],
    ["python", "firefox"],
    ["curl", "chromium"],
    ["deno", "safari"],
  ])("contradict each other: %s and %s", (family, claimed) => {
    expect(contradicts(family, claimed)).toBe(true);
  });

  it.each([
    ["the same", "go", "go"],
    ["no User-Agent", "go", ""],
    ["an unknown hello", "other", "chromium"],
    ["no hello", "", "chromium"],
    ["OpenSSL, which many programs have", "curl", "python"],
    ["rustls, likewise", "deno", "python"],
  ])("do not: %s", (_, family, claimed) => {
    expect(contradicts(family, claimed)).toBe(false);
  });
});
