// SPDX-License-Identifier: AGPL-3.0-or-later
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseYaml, readYamlFile } from "../../src/util/yaml-document.ts";

const TEXT = `# comment
web:
  listen_address:
    - 127.0.0.1:1
    - "[::1]:2"

channels:
- type: slack
  name: a
- {type: log,
   name: b}
"quoted key": >
  folded
  text
last: &anchor
  x: 1
again: *anchor
`;

describe("a parsed document", () => {
  it.each([
    [["web"], 2],
    [["web", "listen_address"], 3],
    [["web", "listen_address", 0], 4],
    [["web", "listen_address", 1], 5],
    [["channels", 0], 8],
    [["channels", 0, "name"], 9],
    [["channels", 1, "type"], 10],
    [["channels", 1, "name"], 11],
    [["quoted key"], 12],
    [["last", "x"], 16],
    [["again"], 17],
  ])("knows the line of %j", (path, line) => {
    expect(parseYaml(TEXT, "file").lineOf(path)).toBe(line);
  });

  it("gives the closest line for what is not there", () => {
    const document = parseYaml(TEXT, "file");
    expect(document.lineOf(["channels", 0, "url"])).toBe(8);
    expect(document.lineOf(["web", "listen_address", 7])).toBe(3);
    expect(document.lineOf(["again", "x"])).toBe(17);
    expect(document.lineOf(["nothing"])).toBe(1);
    expect(document.lineOf([])).toBe(1);
  });

  it("holds plain values", () => {
    expect(parseYaml(TEXT, "file").value).toMatchObject({
      web: { listen_address: ["127.0.0.1:1", "[::1]:2"] },
      channels: [
        { type: "slack", name: "a" },
        { type: "log", name: "b" },
      ],
      again: { x: 1 },
    });
  });

  it.each(["", "# nothing\n", "---\n", "~\n"])("is null for an empty file: %j", (text) => {
    expect(parseYaml(text, "file").value).toBeNull();
  });
});

describe("what is no configuration", () => {
  const deep = "[".repeat(40) + "]".repeat(40);
  const aliases = `a: &a [x]\nb: [${Array.from({ length: 65 }, () => "*a").join(", ")}]`;

  it.each([
    ["a duplicate key", "a: 1\nb: 2\na: 3\n", "file:3: not valid YAML: duplicated mapping key"],
    ["a bracket left open", "a: [1,\n2", "file:2: not valid YAML"],
    ["a tab", "a:\n\tb: 1", "not valid YAML"],
    ["two documents", "a: 1\n---\nb: 2\n", "more than one document"],
    ["a tag", "a: !!js/function x", "unknown scalar tag"],
    ["a key that is a list", "? [1]\n: 2", "complex keys"],
    ["too deep", deep, "not valid YAML"],
    ["too many aliases", aliases, "not valid YAML"],
  ])("%s is refused", (_, text, message) => {
    expect(() => parseYaml(text, "file")).toThrow(
      expect.objectContaining({
        code: "CONFIG_INVALID",
        message: expect.stringContaining(message),
      }),
    );
  });

  it("keeps __proto__ an ordinary key", () => {
    const { value } = parseYaml("__proto__: {polluted: true}", "file");
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("a file", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "nam-yaml-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("must be readable", () => {
    expect(() => readYamlFile(join(folder, "absent.yml"))).toThrow(
      expect.objectContaining({
        code: "CONFIG_READ",
        message: expect.stringContaining("absent.yml"),
      }),
    );
    expect(() => readYamlFile(folder)).toThrow(expect.objectContaining({ code: "CONFIG_READ" }));
  });

  it("must not be as large as a capture", () => {
    const path = join(folder, "large.yml");
    writeFileSync(path, "#".repeat(2 * 1024 * 1024));
    expect(() => readYamlFile(path)).toThrow("too large for a configuration");
  });
});
