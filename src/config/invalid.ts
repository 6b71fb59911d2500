// SPDX-License-Identifier: AGPL-3.0-or-later
import { NamError } from "../util/errors.ts";
import type { Problem } from "../util/validate.ts";
import { lineOf } from "../util/yaml-lines.ts";
import type { Configured } from "./configured.ts";
import { originOf } from "./layers.ts";

/** CONFIG_INVALID with everything that is wrong, one problem a line, each with where it was said. */
export function invalidConfig(configured: Configured, problems: readonly Problem[]): NamError {
  const lines = problems.map((problem) => describe(problem, configured));
  const text =
    lines.length === 1
      ? String(lines[0])
      : `${lines.length} problems in the configuration:\n  ${lines.join("\n  ")}`;
  return new NamError("CONFIG_INVALID", text);
}

function describe({ path, message }: Problem, { document, file, origins }: Configured): string {
  const place = document ? `${file}:${lineOf(document, path)}` : "configuration";
  return `${originOf(origins, path) ?? place}: ${nameOf(path)}: ${message}`;
}

function nameOf(path: Problem["path"]): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join("");
}
