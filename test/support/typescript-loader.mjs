// SPDX-License-Identifier: AGPL-3.0-or-later
// Lets Node.js run TypeScript as it stands, for helpers that are processes of their own:
//   node --import ./test/support/typescript-loader.mjs test/support/webhook-stand-in.ts --port 9199
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import { transformSync } from "rolldown/experimental";

// The same file is loaded again on the thread that runs loader hooks.
if (isMainThread) register(import.meta.url);

/** Loader hook: takes the types out. */
export async function load(url, context, nextLoad) {
  if (!url.endsWith(".ts")) return nextLoad(url, context);
  const path = fileURLToPath(url);
  const { code, errors } = transformSync(path, await readFile(path, "utf8"));
  if (errors.length > 0) throw new Error(`${path} is not valid TypeScript`);
  return { format: "module", source: code, shortCircuit: true };
}
