// SPDX-License-Identifier: AGPL-3.0-or-later
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readProjectFile, root } from "../support/project.ts";

const RECIPES = ["src/decode/rmcp.ts", "src/detect/fan-out.ts", "src/notify/mattermost.ts"];

const folder = mkdtempSync(join(tmpdir(), "nam-recipes-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("the recipes of CONTRIBUTING.md compile against the contracts", () => {
  for (const path of RECIPES) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, recipe(path));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration()));
  const tsc = join(root, "node_modules/.bin/tsc");
  const result = spawnSync(tsc, ["--noEmit", "-p", folder], { cwd: folder, encoding: "utf8" });
  expect(result.stdout).toBe("");
  expect(result.status).toBe(0);
}, 60_000);

function recipe(path: string): string {
  const blocks = [...readProjectFile("CONTRIBUTING.md").matchAll(/^```ts\n([\s\S]*?)^```/gm)];
  const found = blocks
    .map((block) => block[1] ?? "")
    .find((text) => text.startsWith(`// ${path}\n`));
  expect(found, `a code block for ${path}`).toBeDefined();
  return found ?? "";
}

/** The project's own compiler options, with the recipes laid over `src` as if they were in it. */
function configuration(): object {
  return {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      rootDir: "/",
      rootDirs: [join(root, "src"), join(folder, "src")],
      typeRoots: [join(root, "node_modules/@types")],
    },
    // The decoders' files add their facts to the contract's types, and the trackers' files their rows.
    files: [...RECIPES, ...["decode/all.ts", "flow/all.ts"].map((file) => join(root, "src", file))],
    include: [],
  };
}
