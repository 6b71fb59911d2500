// SPDX-License-Identifier: AGPL-3.0-or-later
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's own folder. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

const NOT_OURS = new Set(["node_modules", "dist", "state", "coverage", ".cache", ".git"]);

/** Paths of the project's files under `folder`, relative to the root, sorted; nothing installed or built. */
export function projectFiles(folder = "."): string[] {
  const start = join(root, folder);
  return walk(start)
    .map((path) => relative(root, path))
    .sort();
}

export function readProjectFile(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
}
