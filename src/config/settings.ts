// SPDX-License-Identifier: AGPL-3.0-or-later
import type { JsonSchema } from "../util/validate.ts";
import { parseYaml } from "../util/yaml-document.ts";

/** One setting an operator can choose, found in the schema. */
export interface Setting {
  readonly path: readonly string[];
  /** Path as it is written in messages and documents, e.g. `web.listen_address`. */
  readonly name: string;
  /** Environment variable that sets it, e.g. `NAM_WEB_LISTEN_ADDRESS`. */
  readonly variable: string;
  readonly schema: JsonSchema;
}

export const VARIABLE_PREFIX = "NAM_";

/** Every setting that is not itself a section, in the order of the schema. */
export function listSettings(schema: JsonSchema, path: readonly string[] = []): Setting[] {
  if (schema.properties) {
    return Object.entries(schema.properties).flatMap(([key, child]) =>
      listSettings(child, [...path, key]),
    );
  }
  const variable = VARIABLE_PREFIX + path.join("_").toUpperCase();
  return [{ path, name: path.join("."), variable, schema }];
}

/**
 * Value of an environment variable as the setting wants it: text as it stands, lists split at commas, everything
 * else as YAML. Throws CONFIG_INVALID when that is not YAML.
 */
export function parseVariable({ schema, variable }: Setting, text: string): unknown {
  if (isText(schema)) return text;
  if (schema.type === "array" && schema.items && isText(schema.items) && !text.startsWith("[")) {
    return text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  }
  return parseYaml(text, variable).value;
}

function isText({ type, enum: words }: JsonSchema): boolean {
  const types = Array.isArray(type) ? type.filter((name) => name !== "null") : [type];
  return (types.length === 1 && types[0] === "string") || words?.every(isString) === true;
}

function isString(value: unknown): boolean {
  return typeof value === "string";
}
