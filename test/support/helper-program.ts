// SPDX-License-Identifier: AGPL-3.0-or-later
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { rolldown } from "rolldown";
import { root } from "./project.ts";

/** Below the project, so that packages are found from there. */
const FOLDER = join(root, ".cache/helpers");

const built = new Map<string, Promise<string>>();

/**
 * A helper of the tests that is a process of its own, as one file that Node.js runs: it starts several times sooner than
 * from its modules. `script`: path from the project's root. Resolves to the path of the file.
 */
export function helperProgram(script: string): Promise<string> {
  let path = built.get(script);
  if (path === undefined) {
    path = build(script);
    built.set(script, path);
  }
  return path;
}

async function build(script: string): Promise<string> {
  const bundle = await rolldown({
    input: join(root, script),
    platform: "node",
    external: [/^node:/, /^[a-z@]/],
  });
  const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
  await bundle.close();
  const [{ code }] = output;
  const path = join(FOLDER, `${basename(script, ".ts")}.mjs`);
  mkdirSync(FOLDER, { recursive: true });
  // Others may be starting it now.
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, code);
  renameSync(draft, path);
  return path;
}
