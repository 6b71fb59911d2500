// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { projectFiles, readProjectFile } from "../support/project.ts";

const SPDX = "SPDX-License-Identifier: AGPL-3.0-or-later";
const LINES_MAX = 300;
/** Tests may be somewhat longer, and much longer where there is a reason. */
const TEST_LINES_MAX = 350;
const LONG_TESTS: Readonly<Record<string, string>> = {
  "test/notify/conformance.test.ts":
    "one list of promises on one set of rigs, run over every channel",
};

const files = projectFiles();
const sources = files.filter((path) => /\.(ts|mjs|sh)$/.test(path));
const texts = files.filter((path) => /\.(ts|mjs|sh|md|ya?ml|json|service|txt)$/.test(path));

describe("source files", () => {
  it("begin with the licence identifier", () => {
    // A script has it below its first line, which names the interpreter.
    const without = sources.filter(
      (path) =>
        !readProjectFile(path)
          .split("\n", 2)
          .some((line) => line.includes(SPDX)),
    );
    expect(without).toEqual([]);
  });

  it(`stay below ${LINES_MAX} lines in src`, () => {
    const long = sources
      .filter((path) => path.startsWith("src/"))
      .filter((path) => readProjectFile(path).split("\n").length > LINES_MAX);
    expect(long).toEqual([]);
  });

  it(`stay below ${TEST_LINES_MAX} lines in test, or are named here with a reason`, () => {
    const long = sources
      .filter((path) => path.startsWith("test/"))
      .filter((path) => readProjectFile(path).split("\n").length > TEST_LINES_MAX);
    expect(long).toEqual(Object.keys(LONG_TESTS));
  });

  it("hold no lint suppression without a reason", () => {
    const bare = /biome-ignore [\w/]+:\s*(<explanation>)?\s*$/m;
    expect(sources.filter((path) => bare.test(readProjectFile(path)))).toEqual([]);
  });

  it("take zod from where it is set up, before any schema is made", () => {
    const direct = /^import (?!type ).*\bz\b.* from "zod";/m;
    const offenders = sources
      .filter((path) => path.startsWith("src/") && path !== "src/util/zod.ts")
      .filter((path) => direct.test(readProjectFile(path).replaceAll("type z", "")));
    expect(offenders).toEqual([]);
  });

  it("implement no fingerprint but JA3, JA3S, JA4 and HASSH", () => {
    // The other members of the JA4 family are patented or not licensed for this use; see NOTICE.
    const others = /\bJA4(S|H|L|LS|X|SSH|T|TS|TScan|D|D6)\b/i;
    const offenders = sources
      .filter((path) => path.startsWith("src/"))
      .filter((path) => others.test(readProjectFile(path)));
    expect(offenders).toEqual([]);
  });
});

describe("every text file", () => {
  it("is free of paths of the machine it was written on", () => {
    const machinePath = /(^|[\s"'`(=:])\/(work|root|home)\/\w/m;
    const offenders = texts.filter((path) => machinePath.test(readProjectFile(path)));
    expect(offenders).toEqual([]);
  });

  it("ends with exactly one newline", () => {
    const wrong = texts.filter((path) => !/[^\n]\n$/.test(readProjectFile(path)));
    expect(wrong).toEqual([]);
  });
});
