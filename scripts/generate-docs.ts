// SPDX-License-Identifier: AGPL-3.0-or-later
// npm run docs: writes everything that is made from the code. A test fails while any of it is out of date.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { generatedFiles } from "./docs/generated-files.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
for (const [path, text] of await generatedFiles()) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  console.log(path);
}
