// SPDX-License-Identifier: AGPL-3.0-or-later
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A folder that is removed after the tests of this file, and what saves a file in it and returns its path. */
export function temporaryFiles(): {
  folder: string;
  saved(name: string, bytes: Uint8Array): string;
} {
  const folder = mkdtempSync(join(tmpdir(), "nam-capture-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  return {
    folder,
    saved(name, bytes) {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return path;
    },
  };
}
