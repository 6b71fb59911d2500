// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { generatedFiles } from "../../scripts/docs/generated-files.ts";
import { protocols } from "../../src/decode/all.ts";
import { readProjectFile } from "../support/project.ts";

const files = await generatedFiles();

describe("what npm run docs makes", () => {
  it.each([...files])("%s is current", (path, text) => {
    expect(readProjectFile(path), "run: npm run docs").toBe(text);
  });

  it("has a row for each protocol that is decoded, however it is found", () => {
    const text = files.get("docs/protocols.md") ?? "";
    const names = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(names.toSorted()).toEqual(protocols.map(({ name }) => name).toSorted());
  });

  it("mentions no machine it was made on", () => {
    for (const text of files.values()) {
      expect(text).not.toMatch(/\/(?:root|home|work|tmp)\//);
    }
  });
});
