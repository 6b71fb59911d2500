// SPDX-License-Identifier: AGPL-3.0-or-later
// Puts the program's modules, which tsc has checked, into a few files: dist/main.js, dist/sensor.js and dist/replay-worker.js
// with what they share. Why, and why not with another bundler: docs/decisions/007-bundled-build.md. Then keeps what the
// compiler makes of them: docs/decisions/020-code-cache.md.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("../", import.meta.url));
const dist = join(root, "dist");
/** Packages that stay in node_modules, because they are or load native code. The others come along: they are many small files. */
const OUTSIDE = ["koffi", "cap", /^libsql/];
const ENTRIES = ["main", "sensor", "replay-worker"];
const LOADER = "chunk-loader";

/** Schemas that stand beside what the threads and processes for packets load. */
const SETTINGS = /src\/(?:flow|flow\/ai|capture)\/settings\.ts/;

/**
 * Files of the build, beside those that the bundler makes of what commands and threads share. Large packages lie apart, so
 * that who needs none of them does not wait; so does what a command line needs before the first packet is read. The way of a
 * packet is one file: calls between files cost more.
 */
const GROUPS = [
  { name: "zod", test: /node_modules\/zod\//, priority: 2 },
  { name: "names", test: /node_modules\/tldts/, priority: 2 },
  { name: "addresses", test: /node_modules\/ipaddr/, priority: 2 },
  { name: "settings", test: SETTINGS, priority: 2 },
  { name: "providers", test: /src\/flow\/ai\/(?:pairs|provider-table)\.ts/, priority: 3 },
  { name: "errors", test: /src\/util\/(?:errors|error-codes)\.ts/, priority: 2 },
  {
    name: "packets",
    test: /src\/(?:decode\/|flow\/|metrics\/(?:cells|label-sets)|util\/(?:typed|lasting)|(?:pipeline|known-flows|window-clock|sensor-metrics)\.ts|capture\/(?:record-reader|delivery|look-ahead))/,
    priority: 1,
  },
];

rmSync(dist, { recursive: true, force: true });
// Flat, because a file that is looked up beside the code, like sensor.js, must be found from every part of it.
const chunks = await bundled(ENTRIES, { entryFileNames: "[name]-[hash].js", sourcemap: true });
await bundled([LOADER], { entryFileNames: "[name].js" });
writeFileSync(join(dist, "package.json"), '{ "type": "commonjs" }\n');
for (const { name, fileName } of chunks.filter((chunk) => chunk.isEntry)) {
  const program = `require("./${LOADER}.js").load("${fileName}");\n`;
  writeFileSync(join(dist, `${name}.js`), `#!/usr/bin/env node\n${program}`, { mode: 0o755 });
}
writeFileSync(join(dist, "LICENSES"), packagesOf(chunks).map(licence).join("\n"));
cacheCode();

async function bundled(entries, options) {
  const bundle = await rolldown({
    input: Object.fromEntries(entries.map((name) => [name, join(root, `src/${name}.ts`)])),
    platform: "node",
    external: [/^node:/, ...OUTSIDE],
    // Who captures and follows flows need not make the schemas of how that is configured.
    treeshake: { moduleSideEffects: (id) => (SETTINGS.test(id) ? false : undefined) },
  });
  const { output } = await bundle.write({
    dir: dist,
    format: "cjs",
    comments: false,
    // One character beyond it would make the engine keep the whole file in two bytes a character.
    charset: "ascii",
    // Scripts that run from a code cache cannot import.
    dynamicImportInCjs: false,
    chunkFileNames: "[name]-[hash].js",
    codeSplitting: { groups: GROUPS },
    ...options,
  });
  await bundle.close();
  return output.filter(({ type }) => type === "chunk");
}

/** Replays the demo in one thread, as from standard input, and keeps the bytecode of all that ran. */
function cacheCode() {
  const main = chunks.find(({ name }) => name === "main");
  const script = `
    const { load, saveCodeCache } = require(${JSON.stringify(join(dist, LOADER))});
    process.on("exit", (code) => { if (code === 0) saveCodeCache(); });
    load("${main.fileName}");`;
  const { status, stderr } = spawnSync(process.execPath, ["-e", script, "nam", "replay", "-"], {
    input: readFileSync(join(root, "demo/demo.pcap.gz")),
    // Without settings of the program or the engine, which somebody who builds may have.
    env: {},
    stdio: ["pipe", "ignore", "pipe"],
  });
  if (status !== 0) throw new Error(`the demo cannot be replayed by the new build: ${stderr}`);
}

/** Folders of the packages of which code came along. */
function packagesOf(parts) {
  const modules = parts.flatMap(({ moduleIds }) => moduleIds);
  const folders = modules.map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

function licence(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8");
  return `${name} ${version}, ${license}, is part of the files beside this one.\n\n${text}`;
}
