// SPDX-License-Identifier: AGPL-3.0-or-later
import { dirname, resolve } from "node:path";
import { NamError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import { readYamlFile, type YamlDocument } from "../util/yaml-document.ts";
import { configJsonSchema } from "./json-schema.ts";
import { isSection, Layers, withAbsoluteFiles, withoutEmptySections } from "./layers.ts";
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

/** What was configured, before anyone has looked whether it is right. */
export interface Configured {
  readonly layers: Layers;
  readonly file: string | null;
  /** The file, null without one. */
  readonly document: YamlDocument | null;
  /** What is odd but no error, e.g. a NAM_ variable that names no setting. */
  readonly warnings: readonly string[];
}

/** Variables that are ours without being settings. */
const OTHER_VARIABLES = ["NAM_CONFIG_FILE"];

/** What Kubernetes sets in every pod beside a Service named `nam`. */
const KUBERNETES_VARIABLE = /^NAM_(?:SERVICE_|PORT(?:_|$))/;

/**
 * Puts together flags, NAM_ variables and the file, in this order of precedence. Throws CONFIG_READ when a file cannot
 * be read, CONFIG_INVALID where it or a variable is no YAML.
 */
export function readConfigured({ file, env, flags }: ConfigInput): Configured {
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
  return { layers, file: path, document, warnings: unknownVariables(env, settings) };
}

/** What the file says; `*_file` paths in it are relative to its own folder. */
function sectionsOf(document: YamlDocument | null, path: string | null): Record<string, unknown> {
  const value = document?.value ?? {};
  if (!isSection(value)) {
    throw new NamError("CONFIG_INVALID", `${path}:1: must hold sections with keys, like "web:"`);
  }
  const absolute = withAbsoluteFiles(value, (target) => resolve(dirname(path ?? "."), target));
  return withoutEmptySections(absolute as Record<string, unknown>, configJsonSchema);
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
