// SPDX-License-Identifier: AGPL-3.0-or-later
// Packets through the whole agent: what a fresh agent finds at once, and which detectors have a story at all.
import { describe, expect, it } from "vitest";
import { detectors } from "../../src/detect/all.ts";
import { later, soon, WITHOUT_STORY } from "./stories/all.ts";
import { tell } from "./stories/tell.ts";

tell(soon);

describe("every detector", () => {
  const told = new Set([...soon, ...later].map(({ detector }) => detector));
  const excused = Object.keys(WITHOUT_STORY);

  it("has a story, or a reason why it has none", () => {
    const silent = detectors.map(({ name }) => name).filter((name) => !told.has(name));
    expect(silent.sort()).toEqual(excused.sort());
  });

  it("is one that there is", () => {
    const names = detectors.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...told, ...excused]));
  });
});
