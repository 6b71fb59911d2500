// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import { NamError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import { type Problem, validate } from "../util/validate.ts";
import { readYamlFile, type YamlDocument } from "../util/yaml-document.ts";
import { configJsonSchema } from "./json-schema.ts";
import { isSection, Layers, withAbsoluteFiles, withoutEmptySections } from "./layers.ts";
import { type Config, configSchema } from "./schema.ts";
import { listSettings, parseVariable, type Setting, VARIABLE_PREFIX } from "./settings.ts";

/** One setting from the command line. */
export interface FlagValue {
  /** As the operator knows it, e.g. `--web.listen-address`. */
  readonly flag: string;
  /** As the configuration knows it, e.g. `web.listen_address`. */
  readonly setting: string;
  readonly value: unknown;
}

export interface ConfigInput {
  /** Configuration file; where it is left out the variable NAM_CONFIG_FILE, else none. */
  readonly file?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: readonly FlagValue[];
}

export interface LoadedConfig {
  readonly config: Config;
  readonly file: string | null;
  /** Short hash of everything that was configured; the same input gives the same hash. */
  readonly hash: string;
  /** What is odd but no error, e.g. a NAM_ variable that names no setting. */
  readonly warnings: readonly string[];
}

/** Variables that are ours without being settings. */
const OTHER_VARIABLES = ["NAM_CONFIG_FILE"];

/** What Kubernetes sets in every pod beside a Service named `nam`. */
const KUBERNETES_VARIABLE = /^NAM_(?:SERVICE_|PORT(?:_|$))/;

/**
 * The configuration from flags, NAM_ variables, the file and the defaults, in this order of precedence. Throws
 * CONFIG_READ when a file cannot be read, else CONFIG_INVALID with everything that is wrong, one problem a line.
 */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const { file, env, flags } = input;
  const path = file ?? (env.NAM_CONFIG_FILE || null);
  const document = path === null ? null : readYamlFile(path);
  const settings = listSettings(configJsonSchema);
  const layers = new Layers(sectionsOf(document, path));
  if (env.STATE_DIRECTORY)
    layers.setDefault(["storage", "path"], env.STATE_DIRECTORY.split(":")[0]);
  for (const setting of settings) {
    const text = env[setting.variable];
    if (text) layers.set(setting.path, parseVariable(setting, text), setting.variable);
  }
  for (const { setting, value, flag } of flags) layers.set(setting.split("."), value, flag);
  const result = validate(configSchema, layers.value);
  if ("problems" in result) {
    throw invalid(result.problems.map((problem) => describe(problem, layers, document, path)));
  }
  return {
    config: result.value,
    file: path,
    hash: createHash("sha256").update(JSON.stringify(layers.value)).digest("hex").slice(0, 16),
    warnings: unknownVariables(env, settings),
  };
}

/** What the file says; `*_file` paths in it are relative to its own folder. */
function sectionsOf(document: YamlDocument | null, path: string | null): Record<string, unknown> {
  const value = document?.value ?? {};
  if (!isSection(value)) throw invalid([`${path}:1: must hold sections with keys, like "web:"`]);
  const absolute = withAbsoluteFiles(value, (target) => resolve(dirname(path ?? "."), target));
  return withoutEmptySections(absolute as Record<string, unknown>, configJsonSchema);
}

function describe(
  { path, message }: Problem,
  layers: Layers,
  document: YamlDocument | null,
  file: string | null,
): string {
  const place = document ? `${file}:${document.lineOf(path)}` : "configuration";
  return `${layers.originOf(path) ?? place}: ${nameOf(path)}: ${message}`;
}

function nameOf(path: Problem["path"]): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join("");
}

function invalid(problems: readonly string[]): NamError {
  const text =
    problems.length === 1
      ? String(problems[0])
      : `${problems.length} problems in the configuration:\n  ${problems.join("\n  ")}`;
  return new NamError("CONFIG_INVALID", text);
}

function unknownVariables(env: ConfigInput["env"], settings: readonly Setting[]): string[] {
  const known = [...settings.map(({ variable }) => variable), ...OTHER_VARIABLES];
  return Object.keys(env)
    .filter((name) => name.startsWith(VARIABLE_PREFIX) && !known.includes(name))
    .filter((name) => !KUBERNETES_VARIABLE.test(name))
    .map((name) => {
      const guess = nearest(name, known);
      return `${name} names no setting${guess ? `; did you mean ${guess}?` : ""}`;
    });
}
