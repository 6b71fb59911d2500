// SPDX-License-Identifier: AGPL-3.0-or-later
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../../../shared/data/", import.meta.url);

/**
 * Path of a file or folder of the shared test data, which lies beside the project and is not part of it; without
 * `path`, the folder itself. Where it is missing, says so and returns null; under CI=true that is a failure.
 */
export function sharedData(path = ""): string | null {
  const full = fileURLToPath(new URL(path, FOLDER));
  if (existsSync(full)) return full;
  const reason = `shared test data is missing: ${full}`;
  if (process.env.CI === "true") throw new Error(`${reason}; CI needs it`);
  console.warn(`${reason}; the tests that need it are skipped`);
  return null;
}
