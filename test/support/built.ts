// SPDX-License-Identifier: AGPL-3.0-or-later
import { statSync } from "node:fs";
import { join } from "node:path";
import { projectFiles, root } from "./project.ts";

/** Path of the program as `npm run build` made it. Throws where a source is newer than that. */
export function builtProgram(): string {
  const path = join(root, "dist/main.js");
  const built = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newer = projectFiles("src").find((file) => statSync(join(root, file)).mtimeMs > built);
  if (newer !== undefined) throw new Error(`${newer} is newer than the build: npm run build`);
  return path;
}
