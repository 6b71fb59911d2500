// SPDX-License-Identifier: AGPL-3.0-or-later
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectFiles, root } from "../support/project.ts";

/** What each folder may import besides itself, util/ and metrics/. The rules of biome.json are held to this table. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  util: [],
  metrics: [],
  capture: [],
  decode: ["capture/source.ts"],
  flow: ["decode/packet.ts"],
  detect: ["flow/window.ts", "decode/packet.ts"],
  alert: ["detect/detector.ts"],
  notify: ["alert/alert.ts"],
  server: [],
  host: [],
  web: [],
  config: ["capture/all.ts", "decode/all.ts", "flow/all.ts", "detect/all.ts", "notify/all.ts"],
};

/** One file of every kind that a rule could mistake for another. */
const TARGETS = [
  ...Object.keys(MAY_IMPORT).flatMap((folder) => [`${folder}/all.ts`, `${folder}/other.ts`]),
  "util/errors.ts",
  "metrics/cells.ts",
  "capture/source.ts",
  "decode/packet.ts",
  "flow/window.ts",
  "detect/detector.ts",
  "alert/alert.ts",
  "commands/run.ts",
  "monitor.ts",
  "main.ts",
];

/** Every folder of the pipeline, with its subfolders as they are now and one that does not exist yet. */
const FOLDERS = Object.keys(MAY_IMPORT).flatMap((folder) => [folder, ...subfolders(folder)]);

const copy = mkdtempSync(join(tmpdir(), "nam-layers-"));
let refused: ReadonlySet<string>;

beforeAll(() => {
  copyFileSync(join(root, "biome.json"), join(copy, "biome.json"));
  for (const folder of FOLDERS) {
    for (const target of TARGETS) write(probe(folder, target), importOf(folder, target));
  }
  write(
    "src/flow/cycle-a.ts",
    'import { b } from "./cycle-b.ts";\nexport const a = (): number => b();\n',
  );
  write(
    "src/flow/cycle-b.ts",
    'import { a } from "./cycle-a.ts";\nexport const b = (): number => a();\n',
  );
  refused = lint("style/noRestrictedImports");
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe("folder rules", () => {
  it.each(FOLDERS)("src/%s imports what the table allows and nothing else", (folder) => {
    const wrong = TARGETS.filter(
      (target) => refused.has(probe(folder, target)) === mayImport(folder, target),
    );
    expect(wrong).toEqual([]);
  });

  it("has a rule for every folder of src but the composition roots'", () => {
    const folders = new Set(projectFiles("src").map((path) => path.split("/")[1] ?? ""));
    const unruled = [...folders].filter((name) => !name.endsWith(".ts") && !(name in MAY_IMPORT));
    expect(unruled).toEqual(["commands"]);
  });

  it("refuses import cycles", () => {
    expect([...lint("suspicious/noImportCycles")].sort()).toEqual([
      "src/flow/cycle-a.ts",
      "src/flow/cycle-b.ts",
    ]);
  });
});

function mayImport(folder: string, target: string): boolean {
  const own = folder.split("/")[0] ?? "";
  const other = target.split("/")[0] ?? "";
  if (other === own) return true;
  if (own !== "util" && other === "util") return true;
  if (own !== "util" && own !== "metrics" && other === "metrics") return true;
  if (own === "config") return target.endsWith("/all.ts");
  return MAY_IMPORT[own]?.includes(target) ?? false;
}

function subfolders(folder: string): string[] {
  // A folder may have its rule before it has its first file, which git does not keep.
  const present = existsSync(join(root, "src", folder))
    ? projectFiles(`src/${folder}`).map((path) => posix.dirname(path).slice("src/".length))
    : [];
  return [...new Set([...present, `${folder}/deeper`])].filter((path) => path !== folder);
}

function probe(folder: string, target: string): string {
  return `src/${folder}/imports-${target.replace("/", "-")}`;
}

function importOf(folder: string, target: string): string {
  const path = posix.relative(folder, target);
  return `import "${path.startsWith(".") ? path : `./${path}`}";\n`;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(copy, path)), { recursive: true });
  writeFileSync(join(copy, path), text);
}

/** Paths in the copy that the project's configuration refuses under one rule. */
function lint(rule: string): Set<string> {
  const result = spawnSync(
    join(root, "node_modules/.bin/biome"),
    ["lint", `--only=${rule}`, "--reporter=json", "--max-diagnostics=none", "src"],
    { cwd: copy, encoding: "utf8", maxBuffer: 1 << 28 },
  );
  const report = JSON.parse(result.stdout) as { diagnostics: { location: { path: unknown } }[] };
  return new Set(report.diagnostics.map((diagnostic) => String(pathOf(diagnostic.location.path))));
}

function pathOf(path: unknown): unknown {
  return typeof path === "object" && path !== null && "file" in path ? path.file : path;
}
