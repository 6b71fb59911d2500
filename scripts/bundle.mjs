// SPDX-License-Identifier: AGPL-3.0-or-later
// Puts the program's modules, which tsc has checked, into a few files: dist/main.js, dist/sensor.js and dist/replay-worker.js
// with what they share. Why, and why not with another bundler: docs/decisions/007-bundled-build.md.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("../", import.meta.url));
/** Packages that stay in node_modules, because they are or load native code. The others come along: they are many small files. */
const OUTSIDE = ["koffi", "cap", /^libsql/];

rmSync(join(root, "dist"), { recursive: true, force: true });
const bundle = await rolldown({
  input: Object.fromEntries(
    ["main", "sensor", "replay-worker"].map((name) => [name, join(root, `src/${name}.ts`)]),
  ),
  platform: "node",
  external: [/^node:/, ...OUTSIDE],
});
const { output } = await bundle.write({
  dir: join(root, "dist"),
  format: "esm",
  sourcemap: true,
  // Flat, because a file that is looked up beside the code, like sensor.js, must be found from every part of it.
  chunkFileNames: "[name]-[hash].js",
});
await bundle.close();
writeFileSync(join(root, "dist/LICENSES"), packagesOf(output).map(licence).join("\n"));

/** Folders of the packages of which code came along. */
function packagesOf(chunks) {
  const modules = chunks.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : []));
  const folders = modules.map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

function licence(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8");
  return `${name} ${version}, ${license}, is part of the files beside this one.\n\n${text}`;
}
